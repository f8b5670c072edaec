//! `payment` at sign-in: what the user agrees to pay stands in the client data (Secure Payment Confirmation). Pages
//! must not use it; a profile can play the payment handler that may.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The type of client data of a payment.
pub(crate) const TYPE: &str = "payment.get";

/// `AuthenticationExtensionsPaymentInputs`. Amount and instrument are passed on as they are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PaymentInputs {
    /// Is it about a payment at all?
    #[serde(skip_serializing)]
    pub is_payment: bool,
    /// Whose credential is used; the client fills it in if it is absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rp_id: Option<String>,
    /// The origin of the page that asks for the payment; the client fills it in if it is absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub top_origin: Option<String>,
    /// Who is paid, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payee_name: Option<String>,
    /// Who is paid.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payee_origin: Option<String>,
    /// Marks to show.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payment_entities_logos: Option<Value>,
    /// How much: `currency` and `value`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<Value>,
    /// With what: `displayName` and `icon`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instrument: Option<Value>,
}

impl PaymentInputs {
    /// The object that goes into the client data behind the members of every ceremony.
    pub(crate) fn client_data(mut self, rp_id: &str, top_origin: &str) -> String {
        #[derive(Serialize)]
        struct Extra {
            payment: PaymentInputs,
        }
        self.rp_id.get_or_insert_with(|| rp_id.to_owned());
        self.top_origin.get_or_insert_with(|| top_origin.to_owned());
        // Text keys only, so it cannot fail to be JSON.
        serde_json::to_string(&Extra { payment: self }).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_absent_is_filled_in_or_left_out() {
        let inputs: PaymentInputs = serde_json::from_str(
            r#"{"isPayment": true, "payeeName": "Shop", "total": {"currency": "EUR", "value": "1"}}"#,
        )
        .unwrap();
        assert!(inputs.is_payment);
        assert_eq!(
            inputs.client_data("bank.example", "https://shop.example"),
            r#"{"payment":{"rpId":"bank.example","topOrigin":"https://shop.example","payeeName":"Shop","total":{"currency":"EUR","value":"1"}}}"#
        );
    }
}
