//! What the person says to a page: given on the command line, or asked for at the terminal. Nobody says yes by default.
#![allow(
    clippy::doc_markdown,
    reason = "some of these comments are the text of --help, where backticks are noise"
)]

use std::collections::BTreeSet;
use std::io::{self, BufRead, IsTerminal, Write};

use clap::Args;
use softkey_client::fedcm::{AccountChoice, AccountDialog, Disclosure};
use softkey_client::{Answer, Choice, CredentialType, Grade, Question};

use super::branding;
use crate::output::Output;
use crate::text::{quoted, rp_id};

/// What the person says to `softkey get`.
#[derive(Clone, Debug, Default, Args)]
pub struct ConsentArgs {
    /// Say yes to what is asked, if there is no choice: to the only password or account, to the code of a message, to a
    /// visit of an identity provider's page
    #[arg(long)]
    pub yes: bool,

    /// Choose the account of this id or name, of those on a key by name only; without it, --yes or a terminal no password
    /// is given
    #[arg(long, value_name = "ID")]
    pub account: Option<String>,

    /// Together with a choice: from now on the page may have the password without asking
    #[arg(long)]
    pub stay_signed_in: bool,
}

/// What the person says to `softkey store`.
#[derive(Clone, Debug, Default, Args)]
pub struct KeepArgs {
    /// Say yes to what is asked: keep the credential
    #[arg(long)]
    pub yes: bool,

    /// Say no, and that this site must not ask again
    #[arg(long, conflicts_with = "yes")]
    pub never: bool,
}

/// The person's mind, as far as it is known.
#[derive(Clone, Debug, Default)]
pub struct Consent {
    /// What is said to every question that can be answered so.
    word: Option<Answer>,
    stay_signed_in: bool,
    /// Is the person at a terminal to be asked?
    terminal: bool,
    /// The account to take.
    pub account: Option<String>,
    /// Are pages of identity providers visited without asking?
    pages: bool,
    /// Providers where a login was chosen for the person: once is enough.
    logged_in: BTreeSet<String>,
}

impl From<&ConsentArgs> for Consent {
    fn from(args: &ConsentArgs) -> Self {
        let (account, stay_signed_in) = (args.account.clone(), args.stay_signed_in);
        let word = args.yes.then_some(Answer::Yes);
        Self { word, stay_signed_in, account, ..Self::unknown() }
    }
}

impl From<&KeepArgs> for Consent {
    fn from(args: &KeepArgs) -> Self {
        let never = args.never.then_some(Answer::Never);
        Self { word: args.yes.then_some(Answer::Yes).or(never), ..Self::unknown() }
    }
}

impl Consent {
    /// Nothing is known: the person is asked, if there is a terminal.
    #[must_use]
    pub fn unknown() -> Self {
        Self { terminal: io::stdin().is_terminal(), ..Self::default() }
    }

    /// The same, who lets pages of identity providers be visited if `may` says so.
    #[must_use]
    pub fn with_pages(self, may: bool) -> Self {
        Self { pages: may || self.says_yes(), ..self }
    }

    /// The answer to a question of a page. Yes to a provider's page is that it may be visited.
    pub fn answer(&mut self, question: &Question, output: &mut Output<'_>) -> Answer {
        match question {
            Question::Choose { origin, choices } => self.choose(origin, choices, output),
            Question::Keep { choice, update } => self.keep(choice, *update, output),
            Question::Code { origin, top, embedded, grade } => {
                let named = embedded.as_deref().map(|it| format!(" in {}", rp_id(it)));
                let from = format!("{}{}", rp_id(top), named.unwrap_or_default());
                let whose = match grade {
                    Grade::Origin => String::new(),
                    Grade::Site => format!(" A message for {from}, another origin of this site."),
                };
                let told = format!("May {} have the code?{whose}", rp_id(origin));
                if self.says_yes() {
                    output.note(told);
                    return Answer::Yes;
                }
                self.ask(&told, "y/n", output).map_or(Answer::No, |said| yes_or_no(&said))
            }
            Question::Account(dialog) => self.account(dialog, output),
            Question::LogIn { provider, url } | Question::Continue { provider, url } => {
                let url = url.split('?').next().unwrap_or_default();
                let told = format!("{} wants to show {}.", rp_id(provider), rp_id(url));
                if self.pages {
                    output.note(told);
                    return Answer::Yes;
                }
                let asked = self.ask(&format!("{told} Visit it?"), "y/n", output);
                asked.map_or(Answer::No, |said| yes_or_no(&said))
            }
            Question::ProviderError { provider, error, url } => {
                let more =
                    if url.is_empty() { String::new() } else { format!("; see {}", rp_id(url)) };
                let says = if error.is_empty() {
                    "gives no token".into()
                } else {
                    format!("says {}", quoted(error))
                };
                output.note(format!("{} {says}{more}.", rp_id(provider)));
                Answer::No
            }
        }
    }

    fn says_yes(&self) -> bool {
        self.word == Some(Answer::Yes)
    }

    fn choose(&self, origin: &str, choices: &[Choice], output: &mut Output<'_>) -> Answer {
        let lines = choices.iter().map(|choice| {
            let names = [Some(choice.id.as_str()), choice.name.as_deref()];
            (told(choice, origin), self.is_meant(&names))
        });
        pick((&lines.collect::<Vec<_>>(), &[]), origin, self, output)
    }

    fn account(&mut self, dialog: &AccountDialog, output: &mut Output<'_>) -> Answer {
        let mut lines = Vec::new();
        let mut logins = Vec::new();
        for (index, choice) in dialog.choices.iter().enumerate() {
            lines.push(match choice {
                AccountChoice::Account { provider, account, connected, disclosure, .. } => {
                    let (email, name) = (account.email.as_deref(), account.name.as_deref());
                    let username = account.username.as_deref();
                    let names = [Some(account.id.as_str()), email, name, username];
                    let shown = email.or(name).unwrap_or(&account.id);
                    let known = if *connected { "" } else { ", for the first time" };
                    let terms = disclosure.as_ref().map(disclosed).unwrap_or_default();
                    let line = format!("{} at {}{known}{terms}", quoted(shown), rp_id(provider));
                    (line, self.is_meant(&names))
                }
                AccountChoice::LogIn { provider } => {
                    logins.push((index, provider));
                    (format!("a login at {}", rp_id(provider)), false)
                }
                AccountChoice::OtherAccount { provider } => {
                    logins.push((index, provider));
                    (format!("another account at {}", rp_id(provider)), false)
                }
            });
        }
        // Where no account will do, the only place to sign in at is tried, once.
        let nobody = lines.iter().all(|(_, meant)| !meant);
        logins.retain(|(_, provider)| !self.logged_in.contains(*provider));
        if let (true, true, &[(index, provider)]) = (self.pages, nobody, logins.as_slice()) {
            self.logged_in.insert(provider.clone());
            return Answer::Choice { index, stay_signed_in: false };
        }
        let looks = dialog.brandings.iter();
        let looks = looks.filter_map(|(provider, looks)| branding::told(provider, looks));
        pick((&lines, &looks.collect::<Vec<_>>()), &dialog.origin, self, output)
    }

    /// Is it the account that was named, or was none named?
    fn is_meant(&self, names: &[Option<&str>]) -> bool {
        self.account.as_deref().is_none_or(|account| names.contains(&Some(account)))
    }

    fn keep(&self, choice: &Choice, update: bool, output: &mut Output<'_>) -> Answer {
        if let Some(word) = &self.word {
            return word.clone();
        }
        let what = told(choice, &choice.origin);
        let for_whom = rp_id(&choice.origin);
        let question = if update {
            format!("Keep the new {what} for {for_whom} instead of the old?")
        } else {
            format!("Keep {what} for {for_whom}?")
        };
        match self.ask(&question, "y/n/never", output).as_deref() {
            Some("never") => Answer::Never,
            Some(said) => yes_or_no(said),
            None => Answer::No,
        }
    }

    /// Asks at the terminal; nothing without one, or at the end of the input.
    fn ask(&self, question: &str, how: &str, output: &mut Output<'_>) -> Option<String> {
        if !self.terminal {
            output.note(format!("{question} Nobody is there to say so, so it is no."));
            return None;
        }
        let _ = write!(io::stderr(), "{question} [{how}] ");
        let mut line = String::new();
        let read = io::stdin().lock().read_line(&mut line).ok()?;
        (read > 0).then(|| line.trim().to_ascii_lowercase())
    }
}

/// The only choice that is meant, if the person has said something; else the one that they pick at the terminal, where the
/// lines behind are for their eyes too.
fn pick(
    (lines, behind): (&[(String, bool)], &[String]),
    origin: &str,
    consent: &Consent,
    output: &mut Output<'_>,
) -> Answer {
    let mut fitting = (0..).zip(lines).filter(|(_, (_, meant))| *meant);
    let only = fitting.next().filter(|_| fitting.next().is_none()).map(|(index, _)| index);
    let stay_signed_in = consent.stay_signed_in;
    if let (Some(index), true) = (only, consent.says_yes() || consent.account.is_some()) {
        return Answer::Choice { index, stay_signed_in };
    }
    output.note(format!("{} may have one of these:", rp_id(origin)));
    for (number, (line, _)) in (1..).zip(lines) {
        output.note(format!("{number}  {line}"));
    }
    for line in behind {
        output.note(line);
    }
    let said = consent.ask("Which?", "a number, or nothing", output).unwrap_or_default();
    let index = said.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
    match index.filter(|index| *index < lines.len()) {
        Some(index) => Answer::Choice { index, stay_signed_in },
        None => Answer::No,
    }
}

/// What a sign-up tells the page, and on which terms.
fn disclosed(disclosure: &Disclosure) -> String {
    let fields: Vec<_> = disclosure.fields.iter().map(|field| rp_id(field)).collect();
    let pages = [&disclosure.privacy_policy_url, &disclosure.terms_of_service_url];
    let pages: Vec<_> = pages.into_iter().flatten().map(|url| rp_id(url)).collect();
    let gets =
        if fields.is_empty() { String::new() } else { format!("; it gets {}", fields.join(", ")) };
    let terms =
        if pages.is_empty() { String::new() } else { format!("; see {}", pages.join(", ")) };
    gets + &terms
}

/// A credential as the person knows it.
fn told(choice: &Choice, page: &str) -> String {
    let id = quoted(&choice.id);
    let name = choice.name.as_ref().map(|name| format!(" ({})", quoted(name)));
    let provider = choice.provider.as_ref().map(|it| format!(" at {}", rp_id(it)));
    let kind = match choice.kind {
        CredentialType::Password => "password of ",
        _ => "account ",
    };
    let foreign = (choice.origin != page).then(|| format!(", kept for {}", rp_id(&choice.origin)));
    let rest = [name, provider, foreign].into_iter().flatten().collect::<String>();
    format!("{kind}{id}{rest}")
}

fn yes_or_no(said: &str) -> Answer {
    if matches!(said, "y" | "yes") { Answer::Yes } else { Answer::No }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::Form;

    fn choice(id: &str, name: Option<&str>, origin: &str) -> Choice {
        Choice {
            kind: CredentialType::Password,
            id: id.into(),
            name: name.map(Into::into),
            icon_url: None,
            provider: None,
            origin: origin.into(),
        }
    }

    fn answer(consent: &Consent, question: &Question) -> (Answer, String) {
        let mut notes = Vec::new();
        let said =
            consent.clone().answer(question, &mut Output::new(Vec::new(), &mut notes, Form::Plain));
        (said, String::from_utf8(notes).unwrap())
    }

    /// `--yes` takes the only one, `--account` the only one of that name; of several without a word none is taken.
    #[test]
    fn a_choice_is_made_only_where_it_is_clear() {
        let origin = "https://a.example";
        let choices = [choice("ada", Some("Ada"), origin), choice("bea", None, "http://a.example")];
        let question = |choices: &[Choice]| Question::Choose {
            origin: origin.into(),
            choices: choices.to_vec(),
        };
        let with = |yes: bool, account: Option<&str>| Consent {
            word: yes.then_some(Answer::Yes),
            account: account.map(Into::into),
            ..Consent::default()
        };
        let taken = |index| Answer::Choice { index, stay_signed_in: false };
        let (both, one) = (question(&choices), question(&choices[..1]));
        assert_eq!(answer(&with(true, None), &one).0, taken(0));
        assert_eq!(answer(&with(false, Some("bea")), &both).0, taken(1));
        assert_eq!(answer(&with(false, Some("Ada")), &both).0, taken(0));
        assert_eq!(answer(&with(true, Some("eve")), &both).0, Answer::No);
        assert_eq!(answer(&with(false, None), &one).0, Answer::No);
        let (said, notes) = answer(&with(true, None), &both);
        assert_eq!(said, Answer::No);
        assert!(notes.contains("2  password of \"bea\", kept for http://a.example"), "{notes}");
    }

    /// Without a terminal and a word everything is no; what a site makes of a message is told before it is allowed.
    #[test]
    fn nobody_says_yes_by_default() {
        let keep =
            Question::Keep { choice: choice("ada", None, "https://a.example"), update: true };
        let code = Question::Code {
            origin: "https://a.example".into(),
            top: "https://example".into(),
            embedded: None,
            grade: Grade::Site,
        };
        let yes = Consent { word: Some(Answer::Yes), ..Consent::default() };
        let never = Consent { word: Some(Answer::Never), ..Consent::default() };
        assert_eq!(answer(&Consent::default(), &keep).0, Answer::No);
        assert_eq!(answer(&Consent::default(), &code).0, Answer::No);
        assert_eq!(answer(&yes, &keep).0, Answer::Yes);
        assert_eq!(answer(&never, &keep).0, Answer::Never);
        let (said, notes) = answer(&yes, &code);
        assert_eq!(said, Answer::Yes);
        assert!(notes.contains("A message for https://example, another origin"), "{notes}");
    }
}
