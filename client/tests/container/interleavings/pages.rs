//! The pages of one profile, and what each of them may be given: said here by tables, apart from the code under test.

use softkey_client::{Feature, Frame, Grade, Page, Profile};

use super::provider::IDP;
use crate::world::ORIGIN;

const SHOP: &str = "https://shop.example.com";
const EVIL: &str = "https://evil.example";
const LOCAL: &str = "http://localhost";

/// The origins of each page's documents, the outermost first: the page that all is about, one that means it no good, frames
/// of the first one (its own, its sibling's, the evil one's), the sibling, one that is only as safe as this machine, and
/// a frame of the identity provider's in the first one.
pub(super) const PAGES: [&[&str]; 8] = [
    &[ORIGIN],
    &[EVIL],
    &[ORIGIN, ORIGIN],
    &[ORIGIN, SHOP],
    &[SHOP],
    &[ORIGIN, EVIL],
    &[LOCAL],
    &[ORIGIN, IDP],
];

/// The frames of the sibling's and of the provider's, and the page around them.
pub(super) const FRAME: usize = 3;
pub(super) const PROVIDER: usize = 7;
pub(super) const AROUND: usize = 0;

/// What the profile keeps from the start: accounts, and the origins that they are of.
pub(super) const KEPT: [(&str, &str); 5] = [
    ("ada", ORIGIN),
    ("eve", EVIL),
    ("sid", SHOP),
    ("old", "http://account.example.com"),
    ("local", "https://localhost"),
];

/// What relying party a page says that it is; nothing for its host.
pub(super) const PARTIES: [Option<&str>; 5] = [
    None,
    Some("example.com"),
    Some("account.example.com"),
    Some("evil.example"),
    Some("related.example"),
];

/// The messages, each with the letter that its code begins with.
pub(super) const MESSAGES: [(char, &str, &str); 5] = [
    ('a', "@account.example.com", ""),
    ('b', "@evil.example", ""),
    ('c', "@account.example.com", " @shop.example.com"),
    ('d', "@shop.example.com", ""),
    ('e', "@account.example.com", " @evil.example"),
];

/// The origin of a page's own document.
pub(super) fn origin(page: usize) -> &'static str {
    PAGES[page].last().unwrap()
}

/// The pages; those with the same page around them are in its tab.
pub(super) fn open(profile: &Profile) -> Vec<Page> {
    let features = [
        Feature::PublicKeyCredentialsCreate,
        Feature::PublicKeyCredentialsGet,
        Feature::IdentityCredentialsGet,
        Feature::OtpCredentials,
    ];
    let mut pages: Vec<Page> = Vec::new();
    for frames in PAGES {
        let (own, around) = frames.split_last().unwrap();
        let own = features.into_iter().fold(Frame::new(own), Frame::allow);
        let mut page = Page::framed(profile, around.iter().map(|origin| Frame::new(origin)), own);
        if !around.is_empty() {
            page.join_tab(&pages[AROUND]);
        }
        pages.push(page);
    }
    pages
}

/// May the page have what is kept for this origin? Within the site only if the person was asked, and no frame of another
/// origin has anything.
pub(super) fn may_have_kept(page: usize, kept: &str, asked: bool) -> bool {
    let own = origin(page);
    let site = [ORIGIN, SHOP, "http://account.example.com"];
    let sibling = site.contains(&kept) && site.contains(&own);
    PAGES[page].iter().all(|around| *around == own) && (kept == own || (asked && sibling))
}

/// May the page be this relying party, or does the party's own list name it?
pub(super) fn may_be(page: usize, party: &str) -> bool {
    let own = origin(page);
    let host = own.split("//").nth(1).unwrap();
    host == party || host.ends_with(&format!(".{party}")) || related(party).contains(&own)
}

/// The origins in the list of a relying party.
pub(super) fn related(party: &str) -> &'static [&'static str] {
    match party {
        "related.example" => &[ORIGIN, SHOP],
        "evil.example" => &[EVIL],
        _ => &[],
    }
}

/// How well the message of this letter fits the page; nothing if it is not for it.
pub(super) fn grade(page: usize, letter: char) -> Option<Grade> {
    let fits: &[(char, Grade)] = match page {
        0 => &[('a', Grade::Origin), ('d', Grade::Site)],
        1 => &[('b', Grade::Origin)],
        2 => &[('c', Grade::Site)],
        3 => &[('c', Grade::Origin)],
        4 => &[('d', Grade::Origin), ('a', Grade::Site)],
        5 => &[('e', Grade::Origin)],
        _ => &[],
    };
    fits.iter().find(|(of, _)| *of == letter).map(|(_, grade)| *grade)
}
