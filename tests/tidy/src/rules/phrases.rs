//! Finding words and phrases in prose and in identifiers.

/// Text in which phrases can be counted: lower case, one space between words. Identifiers are taken apart at `_` and
/// between small and capital letters, so that `errandMemory`, `ErrandMemory`, `errand_memory` and "errand memory" are one.
pub fn normal(text: &str) -> String {
    let mut words = String::with_capacity(text.len() + 1);
    words.push(' ');
    let mut before = ' ';
    for char in text.chars() {
        if char.is_alphanumeric() {
            if char.is_uppercase() && before.is_lowercase() {
                words.push(' ');
            }
            words.extend(char.to_lowercase());
        } else if char == '\'' && before.is_alphanumeric() {
            words.push('\'');
        } else if !words.ends_with(' ') {
            words.push(if matches!(char, '.' | ';' | ':' | '?') { '.' } else { ' ' });
            if words.ends_with('.') {
                words.push(' ');
            }
        }
        before = char;
    }
    words.push(' ');
    words
}

/// How often a phrase or its plural occurs in such a text as whole words.
pub fn count(normal_text: &str, phrase: &str) -> usize {
    let phrase = normal(phrase);
    let phrase = phrase.trim();
    normal_text
        .match_indices(phrase)
        .filter(|(at, _)| {
            let before = normal_text[..*at].chars().next_back().unwrap_or(' ');
            let after = &normal_text[at + phrase.len()..];
            let after = after.strip_prefix('s').unwrap_or(after).chars().next().unwrap_or(' ');
            !before.is_alphanumeric() && !after.is_alphanumeric()
        })
        .count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phrases_are_found_in_prose_and_identifiers() {
        let check = |text: &str, phrase: &str, times: usize| assert_eq!(count(&normal(text), phrase), times, "{text}");
        check("ErrandMemory::errand_end(\"errands-end\"), errands", "errand", 4);
        check("whoever else; Whoever's, whoeverx", "whoever", 2);
        check("a late\n    copy. Copy late", "late copy", 1);
        check("hand-over, hand_over, HandOver", "hand-over", 3);
        check("it was late. Copy it", "late copy", 0);
    }
}
