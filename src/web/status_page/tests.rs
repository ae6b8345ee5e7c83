use super::*;

#[test]
fn the_style_ends_nowhere_but_at_its_end() {
    assert!(!STYLE.contains('<'));
}
