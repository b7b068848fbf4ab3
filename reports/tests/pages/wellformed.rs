//! Whether a page is whole, and what is drawn on it.

/// The page is well formed: what is opened is closed in order, attributes are quoted, and text holds no stray bracket.
pub fn check_page(page: &str) {
    const VOID: &[&str] = &["meta", "!doctype"];
    let mut open: Vec<String> = Vec::new();
    let mut rest = page;
    while let Some(start) = rest.find('<') {
        assert!(!rest[..start].contains('>') || open.last().is_some_and(|tag| tag == "style"), "{}", &rest[..start]);
        let end = start + tag_end(&rest[start..]);
        let tag = &rest[start + 1..end];
        rest = &rest[end + 1..];
        let name = tag.trim_start_matches('/').split([' ', '\n', '/']).next().expect("a split has a first part");
        assert!(name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '!'), "tag {name:?}");
        assert_ne!(name, "script", "pages hold no script");
        if tag.starts_with('/') {
            assert_eq!(open.pop().as_deref(), Some(name), "closed out of order");
        } else if !tag.ends_with('/') && !VOID.contains(&name) && name != "br" {
            open.push(name.to_string());
        }
    }
    assert!(open.is_empty(), "left open: {open:?}");
    for outside in ["src=", "url(", "@import", "http://", "https://", "NaN", "inf\"", "{{", "{%"] {
        assert!(!page.contains(outside), "the page holds {outside}");
    }
}

/// Where the tag at the start of `text` ends, quoted attributes respected.
fn tag_end(text: &str) -> usize {
    let mut quoted = false;
    for (index, letter) in text.char_indices() {
        match letter {
            '"' => quoted = !quoted,
            '>' if !quoted => return index,
            _ => {}
        }
    }
    panic!("a tag never ends: {}", text.chars().take(80).collect::<String>());
}

/// A rectangle of a picture, with what is said of it when one points at it.
#[derive(Debug)]
pub struct Drawn<'page> {
    pub class: &'page str,
    pub x: f64,
    pub width: f64,
    pub title: &'page str,
}

/// Every rectangle with a title, in the order in which they are drawn.
pub fn drawn(page: &str) -> Vec<Drawn<'_>> {
    let rectangles = page.split("<rect ").skip(1);
    let one = |text| -> Option<Drawn<'_>> {
        let (tag, rest) = str::split_once(text, '>')?;
        // A bar of a fault is in a group with its title; marks and hosts hold their own.
        let title = rest.strip_prefix("<title>")?.split_once("</title>")?.0;
        let attribute = |name: &str| Some(tag.split_once(&format!("{name}=\""))?.1.split_once('"')?.0);
        let number = |name: &str| attribute(name)?.parse().ok();
        Some(Drawn { class: attribute("class")?, x: number(" x")?, width: number("width")?, title })
    };
    rectangles.filter_map(one).collect()
}
