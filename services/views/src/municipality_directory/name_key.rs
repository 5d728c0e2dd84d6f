//! Names in the order of the Norwegian alphabet, and regardless of case.

/// How much of a name counts.
const LENGTH: usize = 120;

/// What a name is sorted and looked up by: compared byte by byte, it gives the order of the Norwegian alphabet, where æ, ø
/// and å come last and accents do not count. The key of a name's beginning is the beginning of its key.
pub(crate) fn name_key(name: &str) -> String {
    let letters = name.trim_start().chars().flat_map(char::to_lowercase);
    letters.map(letter).take(LENGTH).collect()
}

/// A letter as one that bytes put in its place. The three signs after z in ASCII stand for the three letters after z.
fn letter(letter: char) -> char {
    match letter {
        'æ' | 'ä' => '{',
        'ø' | 'ö' => '|',
        'å' => '}',
        'é' | 'è' | 'ê' | 'ë' => 'e',
        'á' | 'à' | 'â' | 'ã' => 'a',
        'ó' | 'ò' | 'ô' | 'õ' => 'o',
        'í' | 'ì' | 'î' | 'ï' => 'i',
        'ú' | 'ù' | 'û' => 'u',
        'ü' | 'ý' => 'y',
        'ç' | 'č' => 'c',
        'đ' => 'd',
        'ŋ' | 'ñ' => 'n',
        'š' => 's',
        'ŧ' => 't',
        'ž' => 'z',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn æ_ø_and_å_come_last_in_that_order() {
        let mut names = ["Ås IL", "Øyer IL", "Ærlig lag", "Zebra", "Alta", "árdna"];
        names.sort_by_key(|name| name_key(name));
        assert_eq!(names, ["Alta", "árdna", "Zebra", "Ærlig lag", "Øyer IL", "Ås IL"]);
    }

    proptest! {
        #[test]
        fn the_key_of_a_beginning_is_the_beginning_of_the_key(name in "[a-zA-ZæøåÆØÅé ]{0,40}", take in 0_usize..40) {
            let beginning: String = name.chars().take(take).collect();
            prop_assert!(name_key(&name).starts_with(&name_key(&beginning)));
        }
    }
}
