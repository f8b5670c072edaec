//! The environment of a page: its origin and those around it, whether it is secure, fully active and clicked,
//! and what permission policies allow (Credential Management Level 1 section 2; HTML and Permissions Policy as
//! far as they reach in here).

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use url::Url;

use crate::cause::Cause;
use crate::container::CredentialsContainer;
use crate::fedcm::shown::Shown;
use crate::origin::Origin;
use crate::profile::Profile;
use crate::registry::{CredentialType, Feature};

/// A document in a browsing context: top-level, or in frames.
#[derive(Debug)]
pub struct Page {
    profile: Profile,
    /// The outermost first, the caller's own last; never empty.
    frames: Vec<Frame>,
    secure: bool,
    fully_active: bool,
    activation: bool,
    active: ActiveTypes,
    tab: Tab,
    /// The origins that it may connect to; nothing for all.
    connect_src: Option<Vec<String>>,
    /// Is a call of `IdentityCredential.disconnect()` pending?
    disconnecting: Arc<AtomicBool>,
    /// Which dialog of a provider's it is in.
    shown: Option<Shown>,
}

/// One document of the chain from the top-level page to the caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// What the origin was given as.
    text: String,
    /// Its serialization; nothing if it is opaque.
    origin: Option<String>,
    allow: BTreeSet<Feature>,
    deny: BTreeSet<Feature>,
}

impl Frame {
    /// A document of this origin, such as `https://example.org`; what has no origin, such as `null`, is opaque.
    #[must_use]
    pub fn new(origin: &str) -> Self {
        let parsed = Url::parse(origin).map(|url| url.origin());
        let tuple = parsed.ok().filter(url::Origin::is_tuple);
        Self {
            text: origin.to_owned(),
            origin: tuple.map(|origin| origin.ascii_serialization()),
            allow: BTreeSet::new(),
            deny: BTreeSet::new(),
        }
    }

    /// The frame's element has this feature in its attribute `allow`.
    #[must_use]
    pub fn allow(mut self, feature: Feature) -> Self {
        self.allow.insert(feature);
        self
    }

    /// The document's header `Permissions-Policy` takes this feature away.
    #[must_use]
    pub fn deny(mut self, feature: Feature) -> Self {
        self.deny.insert(feature);
        self
    }

    /// Two opaque origins are never the same.
    fn is_same_origin(&self, other: &Self) -> bool {
        self.origin.is_some() && self.origin == other.origin
    }
}

impl Page {
    /// A top-level page.
    #[must_use]
    pub fn new(profile: &Profile, origin: &str) -> Self {
        Self::framed(profile, [], Frame::new(origin))
    }

    /// A page in frames: the documents around it, the outermost first, and its own.
    #[must_use]
    pub fn framed(
        profile: &Profile,
        ancestors: impl IntoIterator<Item = Frame>,
        own: Frame,
    ) -> Self {
        Self {
            profile: profile.clone(),
            frames: ancestors.into_iter().chain([own]).collect(),
            secure: true,
            fully_active: true,
            activation: false,
            active: ActiveTypes::default(),
            tab: Tab::default(),
            connect_src: None,
            disconnecting: Arc::default(),
            shown: None,
        }
    }

    /// `navigator.credentials`.
    pub const fn credentials(&mut self) -> CredentialsContainer<'_> {
        CredentialsContainer::new(self)
    }

    /// The profile that the page belongs to.
    #[must_use]
    pub const fn profile(&self) -> &Profile {
        &self.profile
    }

    /// The user clicked: the page has transient activation until a call consumes it.
    pub const fn activate(&mut self) {
        self.activation = true;
    }

    /// Takes the page out of the set of fully active documents, as navigation does, or brings it back.
    pub const fn set_fully_active(&mut self, fully_active: bool) {
        self.fully_active = fully_active;
    }

    /// Makes the context insecure whatever the origins say, or leaves it to them.
    pub const fn set_secure(&mut self, secure: bool) {
        self.secure = secure;
    }

    /// The page is in the same tab as this one: both have the same top-level page around them, or one is it.
    pub fn join_tab(&mut self, other: &Self) {
        self.tab = other.tab.clone();
    }

    /// The page's Content Security Policy lets it connect to these origins only (`connect-src`).
    pub fn set_connect_src(&mut self, origins: impl IntoIterator<Item = impl Into<String>>) {
        self.connect_src = Some(origins.into_iter().map(Into::into).collect());
    }

    /// Is the page top-level, or of one origin with everything around it?
    #[must_use]
    pub fn is_same_origin_with_ancestors(&self) -> bool {
        let Some((own, ancestors)) = self.frames.split_last() else {
            return false;
        };
        ancestors.iter().all(|ancestor| ancestor.is_same_origin(own))
    }

    /// Does this document have the feature? At the top every feature is there unless the header takes it away;
    /// a frame inherits it if it is of its parent's origin or its element allows it.
    #[must_use]
    pub fn allows(&self, feature: Feature) -> bool {
        let mut parent: Option<&Frame> = None;
        self.frames.iter().all(|frame| {
            let inherits = parent.is_none_or(|parent| {
                parent.is_same_origin(frame) || frame.allow.contains(&feature)
            });
            parent = Some(frame);
            inherits && !frame.deny.contains(&feature)
        })
    }

    pub(crate) const fn shown(&self) -> Option<&Shown> {
        self.shown.as_ref()
    }

    pub(crate) fn set_shown(&mut self, shown: Option<Shown>) {
        self.shown = shown;
    }

    pub(crate) fn is_framed(&self) -> bool {
        self.frames.len() > 1
    }

    /// The API exists in secure contexts only, and works on fully active pages only.
    pub(crate) fn check(&self) -> Result<(), Cause> {
        if !self.is_secure() {
            return Err(Cause::InsecureOrigin);
        }
        if self.is_fully_active() { Ok(()) } else { Err(Cause::NotFullyActive) }
    }

    pub(crate) const fn is_fully_active(&self) -> bool {
        self.fully_active
    }

    /// Is the context secure? A frame's is only if everything around it is.
    pub(crate) fn is_secure(&self) -> bool {
        let secure = |frame: &Frame| Origin::parse(&frame.text) != Err(Cause::InsecureOrigin);
        self.secure && self.frames.iter().all(secure)
    }

    /// The caller's origin, if it may have credentials.
    pub(crate) fn origin(&self) -> Result<Origin, Cause> {
        self.frames.last().map_or(Err(Cause::OpaqueOrigin), |own| Origin::parse(&own.text))
    }

    /// The serialization of the caller's origin; `null` if it is opaque.
    pub(crate) fn serialized_origin(&self) -> &str {
        self.frames.last().and_then(|own| own.origin.as_deref()).unwrap_or("null")
    }

    /// The serializations of all origins, the outermost first, the caller's last; `null` for opaque ones.
    pub(crate) fn frame_origins(&self) -> Vec<String> {
        let origin = |frame: &Frame| frame.origin.clone().unwrap_or_else(|| String::from("null"));
        self.frames.iter().map(origin).collect()
    }

    /// The serialization of the top-level origin; `null` if it is opaque.
    pub(crate) fn top_origin(&self) -> &str {
        self.frames.first().and_then(|top| top.origin.as_deref()).unwrap_or("null")
    }

    /// Uses the transient activation up; was there any?
    pub(crate) const fn consume_activation(&mut self) -> bool {
        core::mem::replace(&mut self.activation, false)
    }

    pub(crate) fn connect_src(&self) -> Option<&[String]> {
        self.connect_src.as_deref()
    }

    pub(crate) const fn disconnecting(&self) -> &Arc<AtomicBool> {
        &self.disconnecting
    }

    pub(crate) const fn tab(&self) -> &Tab {
        &self.tab
    }

    /// Which types have a call pending on this page.
    pub(crate) const fn active(&self) -> &ActiveTypes {
        &self.active
    }
}

/// What the pages of one tab share: which call waits that another one may take the place of.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tab(Arc<Mutex<Vec<Weak<AtomicBool>>>>);

impl Tab {
    /// A call for identity credentials begins; an active one takes the place of those that are not. What is given
    /// becomes true when another call takes the place of this one.
    pub(crate) fn enter(&self, active: bool) -> Arc<AtomicBool> {
        let superseded = Arc::new(AtomicBool::new(false));
        // A list is whole after every change, so a panic elsewhere did no harm.
        let mut passive = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        passive.retain(|call| call.strong_count() > 0);
        if active {
            for call in passive.drain(..).filter_map(|call| call.upgrade()) {
                call.store(true, Ordering::SeqCst);
            }
        } else {
            passive.push(Arc::downgrade(&superseded));
        }
        superseded
    }
}

/// The set *active credential types* of a page.
#[derive(Clone, Debug, Default)]
pub(crate) struct ActiveTypes(Arc<Mutex<BTreeSet<CredentialType>>>);

/// A type's place in the set, given up when this is dropped.
#[derive(Debug)]
pub(crate) struct Mark {
    active: ActiveTypes,
    kind: CredentialType,
}

impl ActiveTypes {
    /// Marks a type, unless it is marked already.
    pub(crate) fn mark(&self, kind: CredentialType) -> Result<Mark, Cause> {
        if self.with(|active| active.insert(kind)) {
            Ok(Mark { active: self.clone(), kind })
        } else {
            Err(Cause::TypeActive(kind))
        }
    }

    fn with<T>(&self, work: impl FnOnce(&mut BTreeSet<CredentialType>) -> T) -> T {
        // A set is whole after every change, so a panic elsewhere did no harm.
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for Mark {
    fn drop(&mut self) {
        self.active.with(|active| active.remove(&self.kind));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GET: Feature = Feature::PublicKeyCredentialsGet;

    fn framed(frames: &[Frame]) -> Page {
        let (own, ancestors) = frames.split_last().unwrap();
        Page::framed(&Profile::new(), ancestors.to_vec(), own.clone())
    }

    /// Permissions Policy: the default allowlist is `self`, an element's `allow` delegates, a header denies.
    #[test]
    fn a_policy_is_inherited_delegated_or_taken_away() {
        let [shop, bank] = ["https://shop.example", "https://bank.example"].map(Frame::new);
        assert!(framed(std::slice::from_ref(&shop)).allows(GET));
        assert!(!framed(&[shop.clone().deny(GET)]).allows(GET));
        assert!(framed(&[shop.clone(), shop.clone()]).allows(GET));
        assert!(!framed(&[shop.clone(), bank.clone()]).allows(GET));
        assert!(framed(&[shop.clone(), bank.clone().allow(GET)]).allows(GET));
        let other = Feature::PublicKeyCredentialsCreate;
        assert!(!framed(&[shop.clone(), bank.clone().allow(GET)]).allows(other));
        let denied = shop.clone().deny(GET);
        assert!(!framed(&[denied, bank.clone().allow(GET)]).allows(GET));
        let sandwich = [shop.clone(), bank.allow(GET), shop];
        assert!(!framed(&sandwich).allows(GET), "of the top's origin, but not of its parent's");
    }

    #[test]
    fn every_ancestor_counts() {
        let [shop, bank] = ["https://shop.example", "https://bank.example"].map(Frame::new);
        assert!(framed(std::slice::from_ref(&shop)).is_same_origin_with_ancestors());
        assert!(framed(&[shop.clone(), shop.clone()]).is_same_origin_with_ancestors());
        assert!(!framed(&[shop.clone(), bank, shop.clone()]).is_same_origin_with_ancestors());
        let opaque = Frame::new("null");
        assert!(!framed(&[opaque.clone(), opaque]).is_same_origin_with_ancestors());
        let insecure = Frame::new("http://shop.example");
        assert!(!framed(&[insecure, shop]).is_secure());
    }
}
