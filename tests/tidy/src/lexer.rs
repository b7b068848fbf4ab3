//! Rust text taken apart into code, string literals and comments, without parsing it.

/// Code and comments have as many lines as the text, so that line numbers stay true.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Parts {
    /// Without comments and without what is inside string literals.
    pub code: String,
    /// Comments of every kind, without their slashes and stars.
    pub comments: String,
    /// What is inside string and character literals, a line for each.
    pub literals: String,
}

/// Takes a Rust source text apart.
pub fn parts(text: &str) -> Parts {
    let mut parts = Parts::default();
    let mut rest = text;
    while !rest.is_empty() {
        let taken = comment(rest)
            .map(|length| (length, false))
            .or_else(|| literal(rest).map(|length| (length, true)))
            .unwrap_or((0, true));
        match taken {
            (0, _) => {
                let next = rest.chars().next().expect("not empty");
                push(&mut parts.code, &mut parts.comments, next);
                rest = &rest[next.len_utf8()..];
                rest = finish_word(next, rest, &mut parts);
            }
            (length, is_literal) => {
                let (here, after) = rest.split_at(length);
                if is_literal {
                    keep_lines(&mut parts, here, "\"\"");
                } else {
                    for char in here.chars() {
                        let char = if matches!(char, '/' | '*' | '!') { ' ' } else { char };
                        push(&mut parts.comments, &mut parts.code, char);
                    }
                }
                rest = after;
            }
        }
    }
    parts
}

/// Puts a character into one text, and into both if it ends a line.
fn push(to: &mut String, other: &mut String, char: char) {
    to.push(char);
    if char == '\n' {
        other.push(char);
    }
}

fn keep_lines(parts: &mut Parts, literal: &str, in_its_place: &str) {
    parts.code.push_str(in_its_place);
    // A new line is written as a letter, which is none of the word behind it.
    parts.literals.push_str(&literal.replace("\\n", " ").replace('\n', " "));
    parts.literals.push('\n');
    for _ in literal.matches('\n') {
        parts.code.push('\n');
        parts.comments.push('\n');
    }
}

/// Reads to the end of an identifier, so that the `r` of `for"…"` does not begin a raw string.
fn finish_word<'a>(first: char, rest: &'a str, parts: &mut Parts) -> &'a str {
    if !is_word(first) {
        return rest;
    }
    let end = rest.find(|char| !is_word(char)).unwrap_or(rest.len());
    parts.code.push_str(&rest[..end]);
    &rest[end..]
}

fn is_word(char: char) -> bool {
    char.is_alphanumeric() || char == '_'
}

/// The length of the comment that the text begins with.
fn comment(text: &str) -> Option<usize> {
    if text.starts_with("//") {
        return Some(text.find('\n').unwrap_or(text.len()));
    }
    if !text.starts_with("/*") {
        return None;
    }
    let (mut depth, mut at) = (0_usize, 0);
    while at < text.len() {
        let here = &text.as_bytes()[at..];
        if here.starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if here.starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return Some(at);
            }
        } else {
            at += 1;
        }
    }
    Some(text.len())
}

/// The length of the string or character literal that the text begins with.
fn literal(text: &str) -> Option<usize> {
    let after_prefix = ["br", "cr", "r", "b", "c", ""].iter().find_map(|prefix| {
        let rest = text.strip_prefix(prefix)?;
        let raw = prefix.ends_with('r') && rest.starts_with(['"', '#']);
        let plain = !prefix.ends_with('r') && rest.starts_with('"');
        (raw || plain).then_some((prefix.len(), raw))
    });
    match after_prefix {
        Some((prefix, true)) => raw_string(&text[prefix..]).map(|length| prefix + length),
        Some((prefix, false)) => Some(prefix + quoted(&text[prefix..], '"')),
        None => character(text),
    }
}

fn raw_string(text: &str) -> Option<usize> {
    let hashes = text.bytes().take_while(|byte| *byte == b'#').count();
    let body = text[hashes..].strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    Some(hashes + 1 + body.find(&end).map_or(body.len(), |at| at + end.len()))
}

fn quoted(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, char) in text.char_indices().skip(1) {
        match char {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if char == quote => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// A character literal, and not a lifetime.
fn character(text: &str) -> Option<usize> {
    let body = text.strip_prefix('\'')?;
    let first = body.chars().next()?;
    let closes = body[first.len_utf8()..].starts_with('\'');
    (first == '\\' || closes).then(|| quoted(text, '\''))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, code: &str, comments: &str) {
        let found = parts(text);
        assert_eq!((found.code.trim(), found.comments.trim()), (code, comments), "{text}");
    }

    #[test]
    fn comments_and_literals_are_not_code() {
        check("let a = \"// no\"; // yes", "let a = \"\";", "yes");
        check("/// Doc.\nfn f<'a>(x: &'a str) {}", "fn f<'a>(x: &'a str) {}", "Doc.");
        check("let q = '\"'; let r = r#\"a \" b\"#; b'x'", "let q = \"\"; let r = \"\"; b\"\"", "");
        check("a /* one /* two */ three */ b", "a  b", "one    two    three");
        assert_eq!(parts("let a = \"b\\nc\"; // d").literals, "\"b c\"\n");
        check("let s = \"a\\\"b\"; c", "let s = \"\"; c", "");
    }

    #[test]
    fn line_numbers_stay_true() {
        let text = "a\n/* b\nc */\n\"d\ne\"\n// f\ng";
        let found = parts(text);
        assert_eq!(found.code.matches('\n').count(), text.matches('\n').count());
        assert_eq!(found.comments.matches('\n').count(), text.matches('\n').count());
        assert_eq!(found.comments.lines().nth(5).map(str::trim), Some("f"));
    }
}
