//! The blocking driver of a call that needs no key: a person, a way to servers, and a clock.

use softkey_ctap::Instant;

use crate::fetch::Fetch;
use crate::question::{Answer, Question};
use crate::request::{Output, Request};
use crate::settlement::Settlement;

/// What the driver stands on.
pub trait Surroundings {
    /// The clock.
    fn now(&mut self) -> Instant;

    /// Waits until the clock stands so.
    fn sleep_until(&mut self, at: Instant);

    /// What the person says.
    fn answer(&mut self, question: &Question) -> Answer;

    /// The way to servers.
    fn fetch(&mut self) -> &mut dyn Fetch;
}

/// Carries a request to its end, as if there were no key: until the promise is settled, or would stay pending for good.
pub fn settle(mut request: Request, around: &mut dyn Surroundings) -> Settlement {
    let mut settlement = Settlement::default();
    request.no_more_keys(around.now());
    loop {
        while let Some(output) = request.poll_output(around.now()) {
            match output {
                Output::Send(sent) => {
                    let response = around.fetch().fetch(&sent);
                    request.handle_response(around.now(), response);
                }
                Output::Fetch { url } => {
                    let fetched = crate::fetch::related_origins(around.fetch(), &url).ok();
                    request.handle_fetched(around.now(), fetched.as_ref());
                }
                Output::Ask(question) => {
                    let answer = around.answer(&question);
                    request.handle_answer(around.now(), answer);
                }
                Output::Settled(result) => settlement.promise = Some(result),
                Output::Late { key, credential } => settlement.late.push((key, credential)),
                // There is no key, and what was asked was answered before anything else could happen.
                Output::Needs { .. } | Output::Cancel { .. } | Output::Withdraw => {}
            }
        }
        if request.is_finished() || request.is_stalled() {
            return settlement;
        }
        let Some(at) = request.poll_timeout() else { return settlement };
        around.sleep_until(at);
        request.handle_timeout(around.now());
    }
}
