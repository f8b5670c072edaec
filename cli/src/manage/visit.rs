//! A page that a command plays: it makes one call, which is carried to its end with a key or without one, and leaves what
//! its profile keeps.

use std::io;
use std::thread;
use std::time::{self, Duration, SystemTime, UNIX_EPOCH};

use serde_json::json;
use softkey_client::driver::{DriveError, Keys, Settlement, User as _};
use softkey_client::fedcm::{DisconnectOptions, UserInfoOptions, UserInfos};
use softkey_client::fetch::http::Http;
use softkey_client::fetch::related_origins;
use softkey_client::profile::TimeoutRange;
use softkey_client::{
    Answer, Credential, CredentialsContainer, Entropy, Feature, Fetch as _, Frame, KeyId,
    Operation, Output as RequestOutput, Page, Question, Rejection, Request,
};
use softkey_ctap::Instant;
use softkey_ctap_hid::ConnectionError;

use super::branding;
use super::consent::Consent;
use super::create::{CeremonyArgs, named};
use super::device::{Wire, open_several};
use super::entropy;
use super::failure::explain;
use super::pages::{Forms, Pages};
use super::person::Person;
use crate::browser_profile::BrowserProfile;
use crate::error::{CliError, Exit};
use crate::inbox::Inbox;
use crate::output::{Form, Output};
use crate::text::{json_line, visible};

/// How long a call that waits is not looked at.
const TICK: Duration = Duration::from_millis(100);

type Promise = Result<Option<Credential>, Rejection>;

/// A page for one call.
pub(super) struct Visit {
    profile: BrowserProfile,
    page: Page,
    operation: Operation,
    /// When the call's clock began.
    began: time::Instant,
    inbox: Option<Inbox>,
    forms: Forms,
    /// Is shown what is sent to identity providers?
    verbose: bool,
}

impl Visit {
    /// Opens a page of this origin.
    pub(super) fn begin(origin: &str, operation: Operation, profile: BrowserProfile) -> Self {
        Self::within(None, origin, operation, profile)
    }

    /// The same in a frame of another page, which lets it sign people in.
    pub(super) fn within(
        top: Option<&str>,
        origin: &str,
        operation: Operation,
        profile: BrowserProfile,
    ) -> Self {
        profile.profile().set(|settings| {
            // Who sets a time on a command line means it.
            if settings.timeout == TimeoutRange::default() {
                settings.timeout = TimeoutRange::literal();
            }
            // A command line is no page, so hmac-secret is open to it as to other native programs.
            settings.hmac_secret = true;
        });
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        profile.profile().set_wall_clock(Instant::default(), since_1970);
        let own = Frame::new(origin).allow(Feature::IdentityCredentialsGet);
        let mut page = Page::framed(profile.profile(), top.map(Frame::new), own);
        // Who types a command means it as much as who clicks.
        page.activate();
        let (began, forms) = (time::Instant::now(), Forms::default());
        Self { profile, page, operation, began, inbox: None, forms, verbose: false }
    }

    /// This may be filled in on pages of identity providers, and what is sent to them may be shown.
    pub(super) fn deal_with_providers(&mut self, forms: Forms, verbose: bool) {
        (self.forms, self.verbose) = (forms, verbose);
    }

    /// Messages come from there.
    pub(super) fn with(mut self, inbox: Option<Inbox>) -> Self {
        self.inbox = inbox;
        self
    }

    /// A one-time code is waited for so many seconds.
    pub(super) fn limit_otp(&self, seconds: u64) {
        let limit = Some(seconds.saturating_mul(1000));
        self.profile.profile().set(|settings| settings.otp_limit = limit);
    }

    /// Who clicked is taken to the login page of a provider of which nothing is known yet.
    pub(super) fn sign_in_where_unknown(&self) {
        self.profile.profile().set(|settings| settings.fed_cm.unknown_is_logged_out = true);
    }

    /// Has the page make its call.
    pub(super) fn call(
        &mut self,
        call: impl FnOnce(&mut CredentialsContainer<'_>, Entropy) -> Request,
    ) -> Result<Request, CliError> {
        Ok(call(&mut self.page.credentials(), entropy()?))
    }

    /// Has the page call `IdentityCredential.disconnect()`.
    pub(super) fn disconnect(&mut self, options: DisconnectOptions) -> Request {
        self.page.disconnect_identity(options)
    }

    /// Has the page call `IdentityProvider.getUserInfo()`.
    pub(super) fn user_info(&mut self, options: &UserInfoOptions) -> (Request, UserInfos) {
        self.page.identity_user_info(options)
    }

    /// Has the page call `navigator.login.setStatus()`, and keeps what the profile remembers of it.
    pub(super) fn set_login_status(self, status: &str) -> Result<Result<(), Rejection>, CliError> {
        let set = self.page.set_login_status(status);
        self.profile.save().map(|()| set)
    }

    /// Carries the call to its end, with the key of the arguments if it asks one, and keeps what the profile remembers
    /// of it.
    pub(super) fn settle(
        self,
        request: Request,
        args: &CeremonyArgs,
        consent: Consent,
        output: &mut Output<'_>,
    ) -> Result<Option<Credential>, CliError> {
        let mut http = args.network.http()?;
        if !request.asks_keys() {
            return self.settle_alone(request, &mut http, consent, output);
        }
        let given = args.pin.given()?;
        let (open, names): (Vec<_>, Vec<_>) = open_several(&args.keys, output)?.into_iter().unzip();
        let mut keys = Keys::new(open);
        keys.set_fetch(move |url| related_origins(&mut http, url).ok());
        let mut person = Person::new(output, given).with(consent).before(names.len());
        let settlement = keys.settle(request, &mut person);
        drop(person);
        tell_of_each(&settlement, &names, output);
        let resolved = matches!(settlement.promise, Some(Ok(_)));
        if !resolved && let Some(error) = broken(&mut keys, names.len()) {
            return Err(explain(DriveError::Connection(error)));
        }
        let pending = || {
            CliError::new(
                Exit::Refused,
                "The promise stays pending: the key gives nothing that a conditional request takes.",
                "without \"mediation\": \"conditional\"",
            )
        };
        self.end(settlement.promise.ok_or_else(pending)?)
    }

    /// The same for a call that asks no key, but the person and servers.
    pub(super) fn settle_alone(
        mut self,
        mut request: Request,
        http: &mut Http,
        consent: Consent,
        output: &mut Output<'_>,
    ) -> Result<Option<Credential>, CliError> {
        let form = output.form();
        let mut person = Person::new(output, None).with(consent);
        loop {
            match request.poll_output(self.now()) {
                Some(RequestOutput::Settled(promise)) => return self.end(promise),
                Some(RequestOutput::Ask(mut question)) => {
                    self.show_looks(&mut question, form, &mut person);
                    let answer = person.answer(&question);
                    let answer = self.on_page(&question, answer, http, &mut person);
                    request.handle_answer(self.now(), answer);
                }
                Some(RequestOutput::Send(sent)) => {
                    let response = http.fetch(&sent);
                    request.handle_response(self.now(), response);
                    self.show_log(form, &mut person);
                }
                Some(_) => {}
                None => match &self.inbox {
                    Some(inbox) => {
                        if let Some(text) = inbox.wait(self.until_due(&request))? {
                            self.profile.profile().inbox().push(text.content.as_str());
                        }
                    }
                    None if request.is_stalled() => return Err(nothing_comes()),
                    None => thread::sleep(self.until_due(&request)),
                },
            }
        }
    }

    /// What comes of a provider's page that the person lets be visited; to other questions the answer stays.
    fn on_page(
        &mut self,
        question: &Question,
        answer: Answer,
        fetch: &mut Http,
        person: &mut Person<'_, '_>,
    ) -> Answer {
        let (profile, now) = (self.profile.profile(), self.now());
        let mut pages = Pages { profile, fetch, forms: &mut self.forms, now, told: Vec::new() };
        let answer = match (question, answer) {
            (Question::LogIn { url, .. }, Answer::Yes) => pages.log_in(url),
            (Question::Continue { url, .. }, Answer::Yes) => pages.go_on(url, question),
            (_, answer) => answer,
        };
        for line in &pages.told {
            person.note(line);
        }
        answer
    }

    /// Beside the results, as errors are: `{"request": ..}` on a line, or several lines for people.
    fn show_log(&self, form: Form, person: &mut Person<'_, '_>) {
        let log = self.profile.profile().take_fedcm_log();
        for entry in log.iter().filter(|_| self.verbose) {
            match form {
                Form::Json => {
                    if let Some(line) = json_line(&json!({ "request": entry })) {
                        person.note(&line);
                    }
                }
                Form::Plain => entry.to_string().lines().for_each(|it| person.note(&visible(it))),
            }
        }
    }

    /// Likewise how providers want to look in the dialog: `{"branding": ..}`. People are told once: the question, which tells
    /// whoever is asked, no more has what was told here.
    fn show_looks(&self, question: &mut Question, form: Form, person: &mut Person<'_, '_>) {
        let Question::Account(dialog) = question else { return };
        for (provider, looks) in dialog.brandings.iter().filter(|_| self.verbose) {
            let line = match form {
                Form::Json => json_line(&branding::entry(provider, looks)),
                Form::Plain => branding::told(provider, looks),
            };
            if let Some(line) = line {
                person.note(&line);
            }
        }
        if self.verbose && form == Form::Plain {
            dialog.brandings.clear();
        }
    }

    fn now(&self) -> Instant {
        Instant::default() + self.began.elapsed()
    }

    fn until_due(&self, request: &Request) -> Duration {
        let due = request.poll_timeout().map(|due| due.duration_since(self.now()));
        due.unwrap_or(TICK).min(TICK)
    }

    fn end(self, promise: Promise) -> Result<Option<Credential>, CliError> {
        self.profile.save()?;
        promise.map_err(|rejection| named(rejection.cause, self.operation))
    }
}

/// What broke the way to the first key, if it broke to each.
fn broken(keys: &mut Keys<Wire>, count: usize) -> Option<ConnectionError<io::Error>> {
    let failures: Option<Vec<_>> =
        (0..).map(KeyId).take(count).map(|key| keys.take_failure(key)).collect();
    failures?.into_iter().next()
}

/// Of several keys: why each failed, and what one made that was touched too late.
fn tell_of_each(settlement: &Settlement, names: &[String], output: &mut Output<'_>) {
    let name = |key: KeyId| usize::try_from(key.0).ok().and_then(|key| names.get(key));
    if let Some(Err(rejection)) = &settlement.promise
        && names.len() > 1
    {
        for (key, cause) in &rejection.keys {
            if let Some(name) = name(*key) {
                output.note(format!("{}: {cause}", visible(name)));
            }
        }
    }
    for (key, late) in &settlement.late {
        if let (Some(name), Credential::Registration(made)) = (name(*key), late) {
            let id = &made.id;
            output.note(format!(
                "{} was touched too late. It made {id}, of which the site does not know.",
                visible(name)
            ));
        }
    }
}

fn nothing_comes() -> CliError {
    CliError::new(Exit::Usage, "No message can come.", "--inbox with a source")
}

#[cfg(test)]
mod tests {
    use softkey_client::wrong::{Deviations, WrongClient};
    use softkey_client::{Cause, CreationOptions, Origin};

    use super::*;

    const OPTIONS: &str = r#"{"rp": {"name": ""}, "user": {"id": "AQ", "name": "", "displayName": ""}, "challenge": "",
        "pubKeyCredParams": []}"#;

    /// What several keys say of this settlement.
    fn told(settlement: &Settlement, names: &[&str]) -> String {
        let mut notes = Vec::new();
        let names: Vec<_> = names.iter().map(|name| String::from(*name)).collect();
        tell_of_each(settlement, &names, &mut Output::new(io::sink(), &mut notes, Form::Plain));
        String::from_utf8(notes).unwrap()
    }

    /// What was made too late is not lost: the person learns which key has it.
    #[test]
    fn a_late_credential_is_told() {
        let options = CreationOptions::from_json(OPTIONS).unwrap();
        let origin = Origin::parse("https://a.example").unwrap();
        let deviations = Deviations::default();
        let made = WrongClient::new(1).create(&options, &origin, &[7; 32], &deviations);
        let id = made.id.clone();
        let late = vec![(KeyId(1), Credential::Registration(Box::new(made)))];
        let settlement = Settlement { promise: None, late };
        let expected =
            format!("two was touched too late. It made {id}, of which the site does not know.\n");
        assert_eq!(told(&settlement, &["one", "two"]), expected);
    }

    /// One key's reason is the error itself; of several each has its own.
    #[test]
    fn several_keys_say_why_they_failed() {
        let mut rejection = Rejection::new(Cause::KeysDiffer, Operation::Create);
        rejection.keys = vec![(KeyId(0), Cause::Excluded), (KeyId(1), Cause::KeyGone)];
        let settlement = Settlement { promise: Some(Err(rejection)), late: Vec::new() };
        let expected = format!("one: {}\ntwo: {}\n", Cause::Excluded, Cause::KeyGone);
        assert_eq!(told(&settlement, &["one", "two"]), expected);
        assert_eq!(told(&settlement, &["one"]), "");
    }
}
