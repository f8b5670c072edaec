//! The forms of a page, and what a browser would send when somebody has filled one in (HTML section 4.10.22). No script
//! runs, and nothing of the page is shown.

use std::collections::BTreeMap;

use html5gum::emitters::default::DefaultEmitter;
use html5gum::{StartTag, Token, Tokenizer};
use softkey_client::SecretText;

/// What somebody fills in, by the names of the controls.
pub(super) type Fields = BTreeMap<String, SecretText>;

/// A form.
#[derive(Default)]
pub(super) struct Form {
    /// Where it goes, relative to its page; empty is the page itself.
    pub(super) action: String,
    method: String,
    enctype: String,
    controls: Vec<Control>,
}

/// What is sent.
pub(super) struct Submission {
    pub(super) action: String,
    pub(super) post: bool,
    pub(super) entries: Vec<(String, SecretText)>,
}

#[derive(Default)]
struct Control {
    kind: Kind,
    name: String,
    value: SecretText,
}

#[derive(Default)]
enum Kind {
    /// It holds any text.
    #[default]
    Text,
    /// A box, a radio button or an option; is it chosen from the start?
    Choice { chosen: bool },
    /// It sends the form, perhaps elsewhere and otherwise.
    Button { action: Option<String>, method: Option<String> },
}

impl Form {
    /// What is sent once these fields are filled in and the first button is pressed, or the one that is named with its
    /// value. Nothing if the form has no place for one of them, or is sent in another way than pages for signing in are.
    pub(super) fn filled(&self, fields: &Fields) -> Option<Submission> {
        let fits = |(name, value): (&String, &SecretText)| {
            self.controls.iter().any(|control| control.name == *name && control.takes(value))
        };
        let enctype = self.enctype.to_ascii_lowercase();
        let known = matches!(enctype.as_str(), "" | "application/x-www-form-urlencoded");
        if !known || !fields.iter().all(fits) {
            return None;
        }
        let pressed = self.pressed(fields);
        let mut entries = Vec::new();
        for (place, control) in self.controls.iter().enumerate() {
            let given = fields.get(&control.name);
            let sent = match control.kind {
                Kind::Text => Some(given.unwrap_or(&control.value)),
                Kind::Choice { chosen } => {
                    given.map_or(chosen, |given| *given == control.value).then_some(&control.value)
                }
                Kind::Button { .. } => (pressed == Some(place)).then_some(&control.value),
            };
            if let Some(value) = sent.filter(|_| !control.name.is_empty()) {
                entries.push((control.name.clone(), value.clone()));
            }
        }
        let button = pressed.and_then(|place| self.controls.get(place)).map(|it| &it.kind);
        let (action, method) = match button {
            Some(Kind::Button { action, method }) => (action.as_ref(), method.as_ref()),
            _ => (None, None),
        };
        let method = method.unwrap_or(&self.method).to_ascii_lowercase();
        let action = action.unwrap_or(&self.action).clone();
        (method != "dialog").then(|| Submission { action, post: method == "post", entries })
    }

    /// The place of the button that is pressed.
    fn pressed(&self, fields: &Fields) -> Option<usize> {
        let is_button = |control: &Control| matches!(control.kind, Kind::Button { .. });
        let is_named = |control: &Control| fields.get(&control.name) == Some(&control.value);
        let named = self.controls.iter().position(|it| is_button(it) && is_named(it));
        named.or_else(|| self.controls.iter().position(is_button))
    }
}

impl Control {
    /// Can somebody put this there?
    fn takes(&self, value: &SecretText) -> bool {
        matches!(self.kind, Kind::Text) || self.value == *value
    }
}

/// The forms of a page in their order.
pub(super) fn forms(page: &[u8]) -> Vec<Form> {
    let mut emitter = DefaultEmitter::default();
    // What looks like a tag inside a script is none.
    emitter.naively_switch_states(true);
    let mut reader = Reader::default();
    // A reader of bytes in memory has no errors.
    for token in Tokenizer::new_with_emitter(page, emitter).flatten() {
        match token {
            Token::StartTag(tag) => reader.open(&tag),
            Token::EndTag(tag) => reader.close(&tag.name),
            Token::String(text) => reader.text(&text),
            _ => {}
        }
    }
    reader.finish()
}

#[derive(Default)]
struct Reader {
    done: Vec<Form>,
    form: Option<Form>,
    /// The options of the list that is open.
    list: Option<List>,
    /// The text area or the option that is open, and what stands in it so far.
    open: Option<(Control, String)>,
}

/// `<select>`.
struct List {
    name: String,
    several: bool,
    options: Vec<Control>,
}

impl Reader {
    fn open(&mut self, tag: &StartTag<()>) {
        let get = |name: &str| attribute(tag, name);
        let text = |name: &str| get(name).unwrap_or_default();
        match &**tag.name {
            // Forms do not stand in forms.
            b"form" if self.form.is_none() => {
                let (action, method, enctype) = (text("action"), text("method"), text("enctype"));
                self.form = Some(Form { action, method, enctype, controls: Vec::new() });
            }
            b"input" | b"button" | b"textarea" | b"select" if get("disabled").is_some() => {}
            b"input" => self.input(tag),
            b"button" => match text("type").to_ascii_lowercase().as_str() {
                "reset" | "button" => {}
                _ => self.add(button(tag)),
            },
            b"textarea" => {
                self.open = Some((Control { name: text("name"), ..<_>::default() }, String::new()));
            }
            b"select" => {
                let several = get("multiple").is_some();
                self.list = Some(List { name: text("name"), several, options: Vec::new() });
            }
            b"option" => {
                self.end_option();
                let kind = Kind::Choice { chosen: get("selected").is_some() };
                let name = self.list.as_ref().map(|list| list.name.clone()).unwrap_or_default();
                let value = SecretText::new(text("value"));
                if self.list.is_some() && get("disabled").is_none() {
                    self.open = Some((Control { kind, name, value }, String::new()));
                }
                // Its text is its value, where it has no other.
                if get("value").is_some() {
                    self.end_option();
                }
            }
            _ => {}
        }
    }

    fn input(&mut self, tag: &StartTag<()>) {
        let get = |name: &str| attribute(tag, name);
        let name = get("name").unwrap_or_default();
        let value = SecretText::new(get("value").unwrap_or_default());
        match get("type").unwrap_or_default().to_ascii_lowercase().as_str() {
            "reset" | "button" | "file" => {}
            "submit" | "image" => self.add(button(tag)),
            "checkbox" | "radio" => {
                let value = get("value").map_or_else(|| SecretText::new("on"), SecretText::new);
                let kind = Kind::Choice { chosen: get("checked").is_some() };
                self.add(Control { kind, name, value });
            }
            _ => self.add(Control { kind: Kind::Text, name, value }),
        }
    }

    fn text(&mut self, text: &[u8]) {
        if let Some((_, so_far)) = &mut self.open {
            so_far.push_str(&String::from_utf8_lossy(text));
        }
    }

    fn close(&mut self, name: &[u8]) {
        match name {
            b"form" => {
                self.end_list();
                self.done.extend(self.form.take());
            }
            b"textarea" => {
                if let Some((control, text)) = self.open.take() {
                    // The first line break is the markup's.
                    let text = text.strip_prefix('\n').unwrap_or(&text);
                    self.add(Control { value: SecretText::new(text), ..control });
                }
            }
            b"option" => self.end_option(),
            b"select" => self.end_list(),
            _ => {}
        }
    }

    fn end_option(&mut self) {
        let Some(list) = &mut self.list else { return };
        if let Some((control, text)) = self.open.take() {
            let text = text.split_ascii_whitespace().collect::<Vec<_>>().join(" ");
            let value = if text.is_empty() { control.value } else { SecretText::new(text) };
            list.options.push(Control { value, ..control });
        }
    }

    fn end_list(&mut self) {
        self.end_option();
        let Some(List { several, mut options, .. }) = self.list.take() else { return };
        let is_chosen = |it: &Control| matches!(it.kind, Kind::Choice { chosen: true });
        if !several && !options.iter().any(is_chosen) {
            // The first one is what a list shows.
            if let Some(first) = options.first_mut() {
                first.kind = Kind::Choice { chosen: true };
            }
        }
        for option in options {
            self.add(option);
        }
    }

    /// What stands in no form is sent by none.
    fn add(&mut self, control: Control) {
        if let Some(form) = &mut self.form {
            form.controls.push(control);
        }
    }

    fn finish(mut self) -> Vec<Form> {
        self.close(b"form");
        self.done
    }
}

fn attribute(tag: &StartTag<()>, name: &str) -> Option<String> {
    let value = tag.attributes.get(name.as_bytes())?;
    Some(String::from_utf8_lossy(value).into_owned())
}

fn button(tag: &StartTag<()>) -> Control {
    let get = |name: &str| attribute(tag, name);
    Control {
        kind: Kind::Button { action: get("formaction"), method: get("formmethod") },
        name: get("name").unwrap_or_default(),
        value: SecretText::new(get("value").unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(list: &[(&str, &str)]) -> Fields {
        list.iter().map(|(name, value)| ((*name).into(), SecretText::new(*value))).collect()
    }

    /// What the first form of a page that takes these fields sends, as `METHOD ACTION name=value,...`.
    fn sent(page: &str, list: &[(&str, &str)]) -> Option<String> {
        let found = forms(page.as_bytes()).iter().find_map(|form| form.filled(&fields(list)))?;
        let entry = |(name, value): &(String, SecretText)| format!("{name}={}", value.expose());
        let entries: Vec<_> = found.entries.iter().map(entry).collect();
        let method = if found.post { "POST" } else { "GET" };
        Some(format!("{method} {} {}", found.action, entries.join(",")))
    }

    /// A login page: what is hidden goes along, entities are read, and the first button is pressed.
    #[test]
    fn a_login_form_is_filled_in() {
        let page = "<!doctype html><FORM METHOD=Post action='/in?a=1&amp;b=2'>
            <input type=hidden name=csrf value='&quot;x&quot;'><input name=user value=nobody>
            <input type=password name=password><input type=submit name=go value=In>
            <button name=go value=Cancel>Cancel</button></form>";
        let filled = sent(page, &[("user", "ada"), ("password", "p")]);
        let expected = "POST /in?a=1&b=2 csrf=\"x\",user=ada,password=p,go=In";
        assert_eq!(filled.as_deref(), Some(expected));
        let cancelled = sent(page, &[("go", "Cancel")]).unwrap();
        assert!(cancelled.ends_with("user=nobody,password=,go=Cancel"), "{cancelled}");
        assert_eq!(sent(page, &[("name", "ada")]), None);
        assert_eq!(sent(page, &[("go", "Elsewhere")]), None);
    }

    /// Boxes, radio buttons and lists take only what they have.
    #[test]
    fn choices_take_their_values() {
        let page = "<form><input type=checkbox name=stay><input type=checkbox name=news value=y checked>
            <input type=radio name=who value=1 checked><input type=radio name=who value=2>
            <select name=where><option>At  home<option value=w>Work</select>
            <select name=no multiple><option>x</select><textarea name=why>\nfor &lt;fun></textarea></form>";
        let filled = |list: &[(&str, &str)]| sent(page, list).unwrap_or_default();
        assert_eq!(filled(&[]), "GET  news=y,who=1,where=At home,why=for <fun>");
        let list = [("stay", "on"), ("who", "2"), ("where", "w"), ("no", "x"), ("why", "")];
        assert_eq!(filled(&list), "GET  stay=on,news=y,who=2,where=w,no=x,why=");
        assert_eq!(filled(&[("who", "3")]), "");
        assert_eq!(filled(&[("news", "")]), "");
        assert_eq!(filled(&[("where", "Work")]), "");
    }

    /// The first form that has a place for all of it is taken, and nothing of a script is one.
    #[test]
    fn the_right_form_is_found() {
        let page = "<input name=user><script>'<form action=/evil><input name=user></form>'</script>
            <!-- <form action=/evil><input name=user></form> -->
            <form action=/search><input name=q></form>
            <form action=/disabled><input name=user disabled></form>
            <form action=/file enctype=multipart/form-data><input name=user></form>
            <form action=/close method=dialog><input name=user></form>
            <form action=/in method=post><input name=user><form action=/evil>
            <button formaction=/out>In</button></form><form action=/late><input name=user></form>";
        assert_eq!(sent(page, &[("user", "a")]).as_deref(), Some("POST /out user=a"));
        assert_eq!(sent(page, &[("q", "a")]).as_deref(), Some("GET /search q=a"));
        assert_eq!(
            sent("<form action=/cut><input name=user><p", &[("user", "a")]).as_deref(),
            Some("GET /cut user=a")
        );
    }
}
