//! How an identity provider wants to look, in words. It may say anything here: the person trusts the origin of its config file,
//! which stands first, and what the provider says is quoted.

use serde_json::{Value, json};
use softkey_client::fedcm::Branding;

use crate::text::{quoted, rp_id};

/// So many icons are told of; a config file may have any number.
const MOST: usize = 3;

/// A provider's looks on one line; nothing if it says nothing.
pub(super) fn told(provider: &str, branding: &Branding) -> Option<String> {
    let Branding { background_color, color, icons, name } = branding;
    let name = name.as_ref().map(|name| format!("calls itself {}", quoted(name)));
    let colours = match (color, background_color) {
        (Some(color), Some(behind)) => Some(format!("{} on {}", quoted(color), quoted(behind))),
        (Some(color), None) => Some(format!("{} for text", quoted(color))),
        (None, Some(behind)) => Some(format!("{} behind it", quoted(behind))),
        (None, None) => None,
    };
    let colours = colours.map(|colours| format!("likes {colours}"));
    let shown = icons.iter().take(MOST).map(|icon| {
        let size = icon.size.map(|size| format!(" ({size} pixels)"));
        format!("{}{}", rp_id(&icon.url), size.unwrap_or_default())
    });
    let more = icons.len().checked_sub(MOST).filter(|more| *more > 0);
    let more = more.map(|more| format!("{more} more"));
    let all: Vec<_> = shown.chain(more).collect();
    let icons = (!all.is_empty()).then(|| format!("has the icons {}", all.join(", ")));
    let parts: Vec<_> = [name, colours, icons].into_iter().flatten().collect();
    (!parts.is_empty()).then(|| format!("{} {}.", rp_id(provider), parts.join("; ")))
}

/// The same for programs: `{"branding": {"provider", "name", "color", "background_color", "icons": [{"url", "size"}]}}`, the
/// members by their names in the config file, and `null` where the provider says nothing.
pub(super) fn entry(provider: &str, branding: &Branding) -> Value {
    let Branding { background_color, color, icons, name } = branding;
    let icons = icons.iter().map(|icon| json!({"url": icon.url, "size": icon.size}));
    json!({"branding": {"provider": provider, "name": name, "color": color,
        "background_color": background_color, "icons": icons.collect::<Vec<_>>()}})
}

#[cfg(test)]
mod tests {
    use softkey_client::fedcm::Icon;

    use super::*;

    const PROVIDER: &str = "https://idp.example/fedcm.json";

    fn icons(count: u32) -> Vec<Icon> {
        let icon = |size| Icon { url: format!("https://idp.example/{size}"), size: Some(size) };
        (1..=count).map(icon).collect()
    }

    /// fedcm.md section 2.2: each member, and each alone.
    #[test]
    fn what_is_there_is_told() {
        let some = |text: &str| Some(text.to_owned());
        let plain = Branding::default();
        let said = |branding: Branding| told(PROVIDER, &branding).unwrap_or_default();
        assert_eq!(said(plain.clone()), "");
        assert_eq!(
            said(Branding { name: some("Idp"), ..plain.clone() }),
            "https://idp.example/fedcm.json calls itself \"Idp\"."
        );
        assert_eq!(
            said(Branding { color: some("red"), ..plain.clone() }),
            "https://idp.example/fedcm.json likes \"red\" for text."
        );
        assert_eq!(
            said(Branding { background_color: some("red"), ..plain.clone() }),
            "https://idp.example/fedcm.json likes \"red\" behind it."
        );
        let all = Branding {
            name: some("Idp"),
            color: some("red"),
            background_color: some("#fff"),
            icons: icons(2),
        };
        assert_eq!(
            said(all),
            "https://idp.example/fedcm.json calls itself \"Idp\"; likes \"red\" on \"#fff\"; \
             has the icons https://idp.example/1 (1 pixels), https://idp.example/2 (2 pixels)."
        );
        let any = Icon { size: None, ..icons(1).remove(0) };
        assert_eq!(
            said(Branding { icons: vec![any], ..plain }),
            "https://idp.example/fedcm.json has the icons https://idp.example/1."
        );
    }

    /// Nothing that a terminal would act on, no text that is read backwards, and no flood.
    #[test]
    fn what_a_provider_says_stays_text() {
        let name = Some(format!("\u{1b}[2J\u{202e}moc.\u{9b}\n{}", "x".repeat(500)));
        let branding = Branding { name, icons: icons(1000), ..Branding::default() };
        let said = told(PROVIDER, &branding).unwrap();
        assert!(said.contains(r"\u{1b}[2J\u{202e}moc.\u{9b}\nxxx"), "{said}");
        assert!(said.ends_with("/3 (3 pixels), 997 more."), "{said}");
        assert!(said.len() < 500 && said.is_ascii() && !said.contains('\n'), "{said}");
        let line = crate::text::json_line(&entry(PROVIDER, &branding)).unwrap();
        assert!(line.contains(r"\u001b[2J\u202emoc.\u009b\nxxx") && line.is_ascii(), "{line}");
    }
}
