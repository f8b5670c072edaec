//! `softkey otp`: templates of messages with one-time codes judged, and messages watched as they come.
#![allow(
    clippy::doc_markdown,
    reason = "some of these comments are the text of --help, where backticks are noise"
)]

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};
use serde_json::json;
use softkey_client::otp::BoundCode;
use softkey_client::otp::lint::{Fault, lint};

use super::create::read_text;
use crate::error::{CliError, Exit};
use crate::inbox::InboxArgs;
use crate::output::{Form, Output};
use crate::text::{quoted, rp_id};

/// The arguments of `softkey otp`.
#[derive(Clone, Debug, Args)]
pub struct OtpArgs {
    /// What to do.
    #[command(subcommand)]
    pub order: OtpOrder,

    /// Print one JSON object a line
    #[arg(long, global = true)]
    pub json: bool,
}

/// What can be done with messages.
#[derive(Clone, Debug, Subcommand)]
pub enum OtpOrder {
    /// Say what is wrong with a message, or with a template of one; ends with 1 if no page can read it
    ///
    /// {{..}}, ${..}, {..}, %s and %d stand for a code of six digits. The rules are those of origin-bound one-time codes:
    /// the last line is "@HOST #CODE", or "@HOST #CODE @FRAME".
    Lint {
        /// The message, in a file; - for standard input
        #[arg(value_name = "FILE", default_value = "-")]
        file: PathBuf,
    },
    /// Print whom each message that comes is for, until Ctrl-C
    Watch {
        #[command(flatten)]
        /// Where they come from.
        inbox: InboxArgs,
        /// Print the codes too
        #[arg(long)]
        show_codes: bool,
    },
}

/// Carries `softkey otp` out.
///
/// # Errors
///
/// [`Exit::Failed`] for a message that no page can read, [`Exit::BadInput`] if it cannot be read at all.
pub fn run(args: &OtpArgs, output: &mut Output<'_>) -> Result<(), CliError> {
    match &args.order {
        OtpOrder::Lint { file } => {
            let text = read_text(file, "The message", "a text file that you may read")?;
            judge(&text, output)
        }
        OtpOrder::Watch { inbox, show_codes } => watch(inbox, *show_codes, output),
    }
}

fn judge(message: &str, output: &mut Output<'_>) -> Result<(), CliError> {
    let faults = lint(message);
    for fault in &faults {
        let (rule, fatal, what) = (fault.rule(), fault.is_fatal(), fault.to_string());
        match output.form() {
            Form::Json => output.object(&json!({"rule": rule, "fatal": fatal, "what": what}))?,
            Form::Plain => {
                let weight = if fatal { "error" } else { "advice" };
                output.line(format!("{weight}: {what} [{rule}]"))?;
            }
        }
    }
    if faults.iter().any(Fault::is_fatal) {
        let form = "a last line such as @example.com #123456, and nothing behind it";
        return Err(CliError::new(Exit::Failed, "No page can read this message.", form));
    }
    Ok(())
}

fn watch(inbox: &InboxArgs, codes: bool, output: &mut Output<'_>) -> Result<(), CliError> {
    let open = inbox.open(output)?.ok_or_else(|| {
        CliError::new(Exit::Usage, "No message can come.", "--inbox with a source")
    })?;
    loop {
        let Some(text) = open.wait(Duration::from_mins(1))? else { continue };
        let bound = BoundCode::parse(&text.content);
        let code = bound.as_ref().map(|bound| bound.code.expose()).filter(|_| codes);
        let top = bound.as_ref().map(|bound| bound.top_host.as_str());
        let embedded = bound.as_ref().and_then(|bound| bound.embedded_host.as_deref());
        if output.form() == Form::Json {
            let mut told = json!({"host": top, "embedded": embedded, "code": code});
            if let (Some(sender), Some(members)) = (text.sender, told.as_object_mut()) {
                members.insert("sender".into(), sender.into());
            }
            output.object(&told)?;
            continue;
        }
        let line =
            top.map_or_else(|| String::from("for no page"), |top| format!("for {}", rp_id(top)));
        let frame = embedded.map(|it| format!(" in a frame of {}", rp_id(it))).unwrap_or_default();
        let code = code.map(|code| format!(": {}", quoted(code))).unwrap_or_default();
        let sender = text.sender.map(|it| format!(" from {}", quoted(&it))).unwrap_or_default();
        output.line(format!("{line}{frame}{sender}{code}"))?;
    }
}
