//! The README's example. Nothing is imported here: what it needs stands in it.

#[test]
fn ada_registers_and_signs_in() -> Result<(), Box<dyn std::error::Error>> {
    let site = softkey_example_site::serve(); // axum and webauthn-rs
    let to = |path| ureq::post(format!("{site}/{path}/ada"));
    let mut browser = softkey::browser::Browser::open(&site)?;
    browser.set_pin("1234")?;

    let options = to("register/begin").send_empty()?.into_body().read_to_string()?;
    let answer = to("register/finish").send_json(browser.create(&options)?)?;
    assert_eq!(answer.into_body().read_to_string()?, "Welcome, ada.");

    let options = to("sign-in/begin").send_empty()?.into_body().read_to_string()?;
    let answer = to("sign-in/finish").send_json(browser.get(&options)?)?;
    assert_eq!(answer.into_body().read_to_string()?, "Welcome back, ada.");
    Ok(())
}

/// It is the whole of the test above, line for line, and no longer than ten lines.
#[test]
fn the_readme_has_all_of_it() {
    let lines = |text: &str| -> Vec<String> {
        let lines = text.lines().map(|line| line.trim().to_owned());
        lines.filter(|line| !line.is_empty()).collect()
    };
    let readme = include_str!("../../../README.md");
    let example = readme.split("```rust,ignore\n").nth(1).unwrap().split("```").next().unwrap();
    let here = include_str!("readme.rs").split_once("dyn std::error::Error>> {\n").unwrap().1;
    let here = here.split_once("    Ok(())\n").unwrap().0;
    assert_eq!(lines(example), lines(here));
    assert_eq!(lines(example).len(), 10);
}
