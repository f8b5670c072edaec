//! The list of algorithms that the owner of a key gives.

use softkey_authenticator::{Algorithm, Algorithms};
use softkey_ctap::cose::algorithm;

/// Reads names or COSE numbers with commas between them, best first.
///
/// # Errors
///
/// What is wrong with the list, for people.
pub fn parse(list: &str) -> Result<Algorithms, String> {
    let listed: Result<Vec<_>, _> = list.split(',').map(|word| one(word.trim())).collect();
    Algorithms::new(&listed?).ok_or_else(|| "an algorithm is named twice".to_owned())
}

fn one(word: &str) -> Result<Algorithm, String> {
    let id = word.parse().ok().or_else(|| algorithm::from_name(word));
    id.and_then(Algorithm::from_id).ok_or_else(|| {
        let known = Algorithm::ALL.iter().filter_map(|known| algorithm::name(known.id()));
        let known: Vec<_> = known.collect();
        format!("there is no algorithm `{word}` here, but {}", known.join(", "))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(list: &str) -> Result<Vec<i64>, String> {
        Ok(parse(list)?.listed().iter().map(|algorithm| algorithm.id()).collect())
    }

    #[test]
    fn names_and_numbers_are_read_in_their_order() {
        assert_eq!(ids("es384,EdDSA, -7").unwrap(), [-35, -8, -7]);
        assert_eq!(ids("ESP256,rs256,ml-dsa-65").unwrap(), [-9, -257, -49]);
    }

    /// As the help says.
    #[test]
    fn default_list_is_the_one_in_the_help() {
        assert_eq!(parse("ES256,EdDSA,ES384,ES512,ES256K").unwrap(), Algorithms::default());
    }

    #[test]
    fn what_cannot_sign_is_refused() {
        for word in ["", "ES257", "-25", "ECDH-ES + HKDF-256", "7"] {
            let complaint = ids(&format!("ES256,{word}")).unwrap_err();
            assert!(complaint.contains(&format!("`{word}`")), "{complaint}");
        }
        assert_eq!(ids("ES256,-7").unwrap_err(), "an algorithm is named twice");
    }
}
