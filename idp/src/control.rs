//! How a provider is steered while it runs: JSON over the same port, under the names of this machine. Pages cannot:
//! what a browser sends for one always carries `Sec-Fetch-Site` or `Origin`, and is refused.

use serde_json::{Value, json};

use crate::entry::Objection;
use crate::fault::Fault;
use crate::message::{Draft, Request};
use crate::provider::Provider;

/// Carries an order out.
pub(crate) fn answer(provider: &mut Provider, request: &Request) -> Draft {
    let from_page = ["origin", "sec-fetch-site", "sec-fetch-mode", "referer"];
    if from_page.iter().any(|name| request.header(name).is_some()) {
        return refused(&Objection::FromPage);
    }
    match (request.method.as_str(), request.path.as_str()) {
        ("GET", "/control/log") => {
            let entries: Vec<_> = provider.log.iter().collect();
            Draft::json(200, json!(entries))
        }
        ("DELETE", "/control/log") => {
            provider.log.clear();
            Draft::json(200, json!({}))
        }
        ("GET", "/control/faults") => Draft::json(200, faults(provider)),
        ("PUT", "/control/faults") => set_faults(provider, &request.body),
        ("PUT", "/control/clock") => set_clock(provider, &request.body),
        (_, "/control/log" | "/control/faults" | "/control/clock") => refused(&Objection::Method),
        _ => refused(&Objection::UnknownPath),
    }
}

fn refused(objection: &Objection) -> Draft {
    wrong(objection.status().unwrap_or(400), &objection.to_string())
}

fn wrong(status: u16, why: &str) -> Draft {
    Draft::json(status, json!({"error": why}))
}

fn faults(provider: &Provider) -> Value {
    provider.faults.iter().map(ToString::to_string).collect()
}

/// All of them, or none if one cannot be read.
fn set_faults(provider: &mut Provider, body: &[u8]) -> Draft {
    let Ok(texts) = serde_json::from_slice::<Vec<String>>(body) else {
        return wrong(400, "the body is no JSON list of faults such as [\"accounts:status=401\"]");
    };
    match texts.iter().map(|text| text.parse()).collect::<Result<Vec<Fault>, _>>() {
        Ok(faults) => {
            provider.faults = faults;
            Draft::json(200, self::faults(provider))
        }
        Err(why) => wrong(400, &why),
    }
}

fn set_clock(provider: &mut Provider, body: &[u8]) -> Draft {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let Some(ahead) = body.get("ahead").and_then(Value::as_u64) else {
        return wrong(400, "the body is not {\"ahead\": SECONDS}");
    };
    provider.ahead = ahead;
    Draft::json(200, json!({"ahead": ahead}))
}
