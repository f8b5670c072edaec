//! `PasswordCredential` (Credential Management Level 1 section 3): made from data or from a form, and posted as the
//! fields of a form.

use std::fmt;

use serde::ser::SerializeStruct;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;
use url::Url;
use url::form_urlencoded::Serializer as Fields;
use zeroize::Zeroizing;

use crate::cause::{Cause, TypeFault};
use crate::options::json;
use crate::origin::{is_local, serialized};
use crate::question::Choice;
use crate::registry::CredentialType;
use crate::secret_text::SecretText;

/// A password and whose it is. It serializes as a page sees it; `Debug` leaves the password out.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordCredential(PasswordData);

/// `PasswordCredentialData`, which is also the form in which a profile keeps a password.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PasswordData {
    /// The account's name.
    pub id: String,
    /// The person's name; empty if there is none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// The address of a picture; empty if there is none.
    #[serde(rename = "iconURL", default, skip_serializing_if = "String::is_empty")]
    pub icon_url: String,
    /// The origin that it is for.
    pub origin: String,
    /// The password.
    pub password: SecretText,
}

/// A submittable element of a form.
#[derive(Clone, Deserialize)]
pub struct FormElement {
    /// Its name; one without is not submitted.
    #[serde(default)]
    pub name: String,
    /// The attribute `autocomplete`, if it has one.
    pub autocomplete: Option<String>,
    /// What it submits; nothing if it does not, as when it is disabled.
    pub value: Option<SecretText>,
}

/// What create makes a password credential of.
#[derive(Clone)]
pub enum PasswordInit {
    /// Data.
    Data(PasswordData),
    /// A form's elements in tree order. In JSON it is `{"elements": [{"name": .., "autocomplete": .., "value": ..}]}`,
    /// since an element of a page has no JSON form.
    Form(Vec<FormElement>),
}

/// How a credential is posted: which field has what, as a `PasswordCredential` of 2016 said it itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormFields {
    /// The field of the account's name, `username` by default.
    pub id_name: String,
    /// The field of the password, `password` by default.
    pub password_name: String,
    /// Fields in front of both.
    pub additional: Vec<(String, String)>,
}

/// A POST that signs somebody in.
#[derive(Clone)]
pub struct FormPost {
    /// Where to.
    pub url: String,
    /// The header `Content-Type`.
    pub content_type: String,
    /// The body, which holds the password.
    pub body: Zeroizing<Vec<u8>>,
}

impl Default for FormFields {
    fn default() -> Self {
        let (id_name, password_name) = ("username".into(), "password".into());
        Self { id_name, password_name, additional: Vec::new() }
    }
}

impl PasswordCredential {
    /// `new PasswordCredential(data)`. The origin becomes its serialization if it has one.
    ///
    /// # Errors
    ///
    /// [`TypeFault::EmptyMember`] for an empty id, origin or password; [`TypeFault::IconUrl`].
    pub fn new(mut data: PasswordData) -> Result<Self, Cause> {
        let password = if data.password.is_empty() { "" } else { "there" };
        let required = [("id", data.id.as_str()), ("origin", &data.origin), ("password", password)];
        if let Some((member, _)) = required.into_iter().find(|(_, value)| value.is_empty()) {
            return Err(Cause::Type(TypeFault::EmptyMember(member)));
        }
        check_icon(&data.icon_url)?;
        data.origin = serialized(&data.origin);
        Ok(Self(data))
    }

    /// `new PasswordCredential(form)` on a page of this origin.
    ///
    /// # Errors
    ///
    /// As [`PasswordCredential::new`]: a field that the form lacks is empty.
    pub fn from_form(elements: &[FormElement], origin: &str) -> Result<Self, Cause> {
        let mut data = PasswordData {
            id: String::new(),
            name: String::new(),
            icon_url: String::new(),
            origin: origin.to_owned(),
            password: SecretText::default(),
        };
        let mut new_password = false;
        for element in elements {
            let Some(autocomplete) = &element.autocomplete else { continue };
            let Some(value) = submitted(elements, &element.name) else { continue };
            for token in autocomplete.split_ascii_whitespace() {
                let text = || value.expose().to_owned();
                match token.to_ascii_lowercase().as_str() {
                    "new-password" => {
                        new_password = true;
                        data.password = value.clone();
                    }
                    "current-password" if !new_password => data.password = value.clone(),
                    "photo" => data.icon_url = text(),
                    "name" | "nickname" => data.name = text(),
                    "username" => data.id = text(),
                    _ => {}
                }
            }
        }
        Self::new(data)
    }

    /// The account's name.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.0.id
    }

    /// The person's name; empty if there is none.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The origin that it is for.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.0.origin
    }

    /// The password.
    #[must_use]
    pub const fn password(&self) -> &SecretText {
        &self.0.password
    }

    /// All of it, as it was given.
    #[must_use]
    pub const fn data(&self) -> &PasswordData {
        &self.0
    }

    /// The POST that `fetch(url, {method: "POST", credentials: credential})` was in 2016, its body
    /// `application/x-www-form-urlencoded`.
    ///
    /// # Errors
    ///
    /// [`TypeFault::ForeignCredential`] for a URL of another origin than the credential's.
    pub fn post_urlencoded(&self, url: &str, fields: &FormFields) -> Result<FormPost, Cause> {
        let url = self.own_url(url)?;
        let length: usize = self.fields(fields).map(|(name, value)| name.len() + value.len()).sum();
        // Room for the longest encoding: a body that grows would leave copies of the password behind.
        let body = String::with_capacity(3 * length + 2 * (fields.additional.len() + 2));
        let mut body = Fields::new(body);
        body.extend_pairs(self.fields(fields));
        let body = Zeroizing::new(body.finish().into_bytes());
        Ok(FormPost { url, content_type: "application/x-www-form-urlencoded".into(), body })
    }

    /// The same with the body `multipart/form-data`. The boundary is the caller's, 1 to 70 letters and digits.
    ///
    /// # Errors
    ///
    /// Likewise; and [`Cause::NotTheDictionary`] for a boundary that is none, or that occurs in a field.
    pub fn post_multipart(
        &self,
        url: &str,
        fields: &FormFields,
        boundary: &str,
    ) -> Result<FormPost, Cause> {
        let url = self.own_url(url)?;
        let fits = (1..=70).contains(&boundary.len())
            && boundary.bytes().all(|byte| byte.is_ascii_alphanumeric())
            && !self.fields(fields).any(|(_, value)| value.contains(boundary));
        if !fits {
            return Err(Cause::NotTheDictionary(
                "the boundary does not separate the fields".into(),
            ));
        }
        let escaped =
            |name: &str| name.replace('\r', "%0D").replace('\n', "%0A").replace('"', "%22");
        let length: usize =
            self.fields(fields).map(|(name, value)| 3 * name.len() + value.len()).sum();
        let rest = (fields.additional.len() + 3) * (boundary.len() + 64);
        let mut body = Zeroizing::new(Vec::with_capacity(length + rest));
        for (name, value) in self.fields(fields) {
            let head = format!(
                "--{boundary}\r\nContent-Disposition: form-data; name=\"{}\"",
                escaped(name)
            );
            for part in [&head, "\r\n\r\n", value, "\r\n"] {
                body.extend_from_slice(part.as_bytes());
            }
        }
        body.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
        let content_type = format!("multipart/form-data; boundary={boundary}");
        Ok(FormPost { url, content_type, body })
    }

    fn fields<'f>(&'f self, fields: &'f FormFields) -> impl Iterator<Item = (&'f str, &'f str)> {
        let additional =
            fields.additional.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let id = (fields.id_name.as_str(), self.id());
        additional.chain([id, (&fields.password_name, self.password().expose())])
    }

    /// A password goes to its own origin only.
    fn own_url(&self, url: &str) -> Result<String, Cause> {
        let own =
            Url::parse(url).ok().filter(|url| url.origin().ascii_serialization() == self.0.origin);
        own.map(Into::into).ok_or(Cause::Type(TypeFault::ForeignCredential))
    }

    pub(crate) fn choice(&self) -> Choice {
        let given = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
        Choice {
            kind: CredentialType::Password,
            id: self.0.id.clone(),
            name: given(&self.0.name),
            icon_url: given(&self.0.icon_url),
            provider: None,
            origin: self.0.origin.clone(),
        }
    }
}

impl PasswordInit {
    /// The value of the member `password` of the options of create.
    pub(crate) fn from_value(value: Value) -> Result<Self, Cause> {
        #[derive(Deserialize)]
        struct Form {
            elements: Vec<FormElement>,
        }
        let made = if value.get("elements").is_some() {
            json::read(value).map(|Form { elements }| Self::Form(elements))
        } else {
            json::read(value).map(Self::Data)
        };
        made.map_err(without_values)
    }

    /// `[[Create]]`.
    pub(crate) fn create(self, origin: &str) -> Result<PasswordCredential, Cause> {
        match self {
            Self::Data(data) => PasswordCredential::new(data),
            Self::Form(elements) => PasswordCredential::from_form(&elements, origin),
        }
    }
}

/// What is wrong with the JSON of a credential, unless the words quote what stands in it: that may be the password.
fn without_values(cause: Cause) -> Cause {
    match cause {
        Cause::NotTheDictionary(text) if !text.starts_with("missing field") => {
            Cause::NotTheDictionary("password is neither a password's data nor a form".into())
        }
        other => other,
    }
}

/// What the form data have under a name: what the first element of this name submits.
fn submitted<'f>(elements: &'f [FormElement], name: &str) -> Option<&'f SecretText> {
    let mut named = elements.iter().filter(|element| !name.is_empty() && element.name == name);
    named.find_map(|element| element.value.as_ref())
}

/// Is it empty, or a potentially trustworthy URL (Secure Contexts section 3.2)?
pub(crate) fn check_icon(icon_url: &str) -> Result<(), Cause> {
    if icon_url.is_empty() {
        return Ok(());
    }
    let url = Url::parse(icon_url).map_err(|_| Cause::Type(TypeFault::IconUrl))?;
    let trusted = matches!(url.scheme(), "https" | "wss" | "data" | "file") || is_local(&url);
    if trusted { Ok(()) } else { Err(Cause::Type(TypeFault::IconUrl)) }
}

impl fmt::Debug for PasswordCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let PasswordData { id, origin, .. } = &self.0;
        f.debug_struct("PasswordCredential")
            .field("id", id)
            .field("origin", origin)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for PasswordInit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Data(_) => "PasswordInit::Data",
            Self::Form(_) => "PasswordInit::Form",
        })
    }
}

impl Serialize for PasswordCredential {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut object = to.serialize_struct("PasswordCredential", 5)?;
        object.serialize_field("id", &self.0.id)?;
        object.serialize_field("type", CredentialType::Password.as_str())?;
        object.serialize_field("name", &self.0.name)?;
        object.serialize_field("iconURL", &self.0.icon_url)?;
        object.serialize_field("password", &self.0.password)?;
        object.end()
    }
}
