//! The page of answers has every code, in order, with the number that is hashed; the rules' table too.

use ledger_core::code::Code;

fn page(name: &str) -> String {
    let path = format!("{}/../docs/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn all() -> Vec<(u16, &'static str)> {
    Code::ALL.iter().map(|code| (code.number(), code.name())).collect()
}

#[test]
fn the_page_of_answers_lists_every_code() {
    let page = page("errors.md");
    let mut listed = Vec::new();
    for row in page.lines().filter(|line| line.starts_with("| ")) {
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").map(str::trim).collect();
        let Ok(number) = cells[0].parse() else { continue };
        assert_eq!(cells.len(), 6, "{row}");
        assert!(!cells[2].is_empty() && !cells[4].is_empty(), "{row}");
        let is_status = number < 200;
        assert_eq!(cells[5] != "result", is_status, "only group 1 becomes a status: {row}");
        listed.push((number, cells[1]));
    }
    assert_eq!(listed, all());
}

#[test]
fn the_rules_list_every_code() {
    let page = page("rules.md");
    let mut words = page.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').peekable();
    let mut listed = Vec::new();
    while let Some(word) = words.next() {
        let name = words.peek().copied().unwrap_or_default();
        if let Ok(number) = word.parse::<u16>()
            && Code::from_number(number).is_some_and(|code| code.name() == name)
        {
            listed.push((number, name));
        }
    }
    listed.sort_unstable();
    listed.dedup();
    let missing: Vec<_> = all().into_iter().filter(|code| !listed.contains(code)).collect();
    assert!(missing.is_empty(), "rules.md lacks {missing:?}");
}
