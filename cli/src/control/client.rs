//! `softkey control`: one order, one answer.

use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use serde_json::json;

use super::{Order, Reply};
use crate::args::{Approve, ControlArgs, ControlOrder, FaultOrder, Outcome};
use crate::error::{CliError, Exit};
use crate::output::{Form, Output};
use crate::run::Mode;
use crate::run::approval::Touch;
use crate::run::sensor::Finds;

/// A key that is alive answers long before this.
const PATIENCE: Duration = Duration::from_secs(20);

/// Carries `softkey control` out.
///
/// # Errors
///
/// [`Exit::NoKey`] if no key listens at the socket, [`Exit::Failed`] if it does not do what it was told.
pub fn perform(args: &ControlArgs) -> Result<Exit, CliError> {
    let form = if args.json { Form::Json } else { Form::Plain };
    let mut output = Output::stdout(form);
    match send(&args.path, &args.order.clone().into())? {
        Reply::Done if args.json => output.object(&json!({"done": true}))?,
        Reply::Done => {}
        Reply::Status(status) => output.record(&*status)?,
        Reply::Faults(faults) => output.record(&faults)?,
        Reply::Error { what, try_this } => return Err(CliError::new(Exit::Failed, what, try_this)),
    }
    Ok(Exit::Success)
}

/// Sends one order to the key that listens at this socket and waits for its answer.
///
/// # Errors
///
/// [`Exit::NoKey`] if none listens, goes away or answers in another language.
pub fn send(path: &Path, order: &Order) -> Result<Reply, CliError> {
    let line = exchange(path, order).map_err(|error| unreachable(path, &error.to_string()))?;
    Reply::from_line(line.trim_end_matches('\n'))
        .ok_or_else(|| unreachable(path, "it does not answer as a key does"))
}

fn exchange(path: &Path, order: &Order) -> io::Result<String> {
    let mut stream = UnixStream::connect(path)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(format!("{order}\n").as_bytes())?;
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line)?;
    Ok(line)
}

fn unreachable(path: &Path, why: &str) -> CliError {
    CliError::new(
        Exit::NoKey,
        format!("No key can be reached at {} ({why}).", path.display()),
        "start one with softkey run --control and this path",
    )
}

impl From<ControlOrder> for Order {
    fn from(order: ControlOrder) -> Self {
        match order {
            ControlOrder::Approve { mode } => Self::Approve(mode.into()),
            ControlOrder::Touch { long: false } => Self::Touch(Touch::Short),
            ControlOrder::Touch { long: true } => Self::Touch(Touch::Long),
            ControlOrder::Uv { outcome } => Self::Verify(match outcome {
                Outcome::Ok => Finds::Ok,
                Outcome::Fail => Finds::Fail,
                Outcome::Lock => Finds::Lock,
            }),
            ControlOrder::Finger { finger } => Self::Finger(finger),
            ControlOrder::Fault { order } => match order {
                FaultOrder::On { fault } => Self::FaultOn(fault),
                FaultOrder::Off { name } => Self::FaultOff(name),
                FaultOrder::List => Self::FaultList,
            },
            ControlOrder::Replug => Self::Replug,
            ControlOrder::Advance { time } => Self::Advance(time),
            ControlOrder::Status => Self::Status,
            ControlOrder::Stop => Self::Stop,
        }
    }
}

impl From<Approve> for Mode {
    fn from(approve: Approve) -> Self {
        match approve {
            Approve::Ask => Self::Ask,
            Approve::Auto => Self::Auto,
            Approve::Deny => Self::Deny,
            Approve::Hold => Self::Hold,
        }
    }
}
