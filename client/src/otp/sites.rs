//! How well a message fits a page: the matching of origins over all frames.

use url::Url;

use crate::kept::is_same_host_or_site;

/// How well a message fits a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grade {
    /// Only by its sites; whoever consents must see the origins.
    Site,
    /// By its very origins.
    Origin,
}

/// The grade with which a message's origins fit a page; nothing if they do not. The frames are serialized origins, the
/// outermost first, the caller's last.
#[must_use]
pub fn grade(top: &str, embedded: Option<&str>, frames: &[&str]) -> Option<Grade> {
    let (caller, ancestors) = frames.split_last()?;
    let Some((outermost, between)) = ancestors.split_first() else {
        return if embedded.is_none() { pair(caller, top) } else { None };
    };
    let embedded = embedded?;
    let mut grade = pair(caller, embedded)?;
    for frame in between {
        grade = grade.min(pair(frame, embedded).max(pair(frame, top))?);
    }
    Some(grade.min(pair(outermost, top)?))
}

fn pair(one: &str, other: &str) -> Option<Grade> {
    let (one, other) = (Url::parse(one).ok()?, Url::parse(other).ok()?);
    if one.origin().is_tuple() && one.origin() == other.origin() {
        return Some(Grade::Origin);
    }
    let site = one.scheme() == other.scheme() && is_same_host_or_site(&one, &other);
    site.then_some(Grade::Site)
}
