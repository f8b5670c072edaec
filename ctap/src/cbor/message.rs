//! One field table per message.

/// Makes a map type from its table: the struct, both directions and the list of keys. The messages of CTAP are
/// made so, and the records that an authenticator stores.
///
/// `Int` tables have integer keys, `Text` tables have text keys; their order must be canonical, which is checked
/// at compile time. Members are `required` or `optional`; an absent required member is
/// [`DecodeError::Missing`](super::DecodeError::Missing) unless the table says `missing = Variant`. Unknown
/// members are passed over. A `pub(crate)` table has no `Debug`, so that it may hold secrets.
#[macro_export]
macro_rules! message {
    ($(#[$meta:meta])* pub struct $($table:tt)*) => {
        $crate::message!(@split [
            $(#[$meta])*
            #[derive(Debug)]
            #[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
            pub
        ] $($table)*);
    };
    ($(#[$meta:meta])* pub(crate) struct $($table:tt)*) => {
        $crate::message!(@split [$(#[$meta])* pub(crate)] $($table)*);
    };
    (@split $head:tt $name:ident<$life:lifetime>: $kind:ident $(, missing = $missing:ident)? {
        $($fields:tt)*
    }) => {
        $crate::message!(@table $head $name [<$life>] [$life] $kind [$($missing)? Missing] {$($fields)*});
    };
    (@split $head:tt $name:ident: $kind:ident $(, missing = $missing:ident)? { $($fields:tt)* }) => {
        $crate::message!(@table $head $name [] ['b] $kind [$($missing)? Missing] {$($fields)*});
    };
    (@table [$($head:tt)*] $name:ident [$($generics:tt)*] [$life:lifetime] $kind:ident
        [$missing:ident $($default:ident)?] {
        $($(#[$doc:meta])* $key:literal => $field:ident: $need:ident $type:ty,)*
    }) => {
        #[derive(Clone, PartialEq, Eq)]
        $($head)* struct $name $($generics)* {
            $($(#[$doc])* pub $field: $crate::message!(@type $need $type),)*
        }

        impl $($generics)* $name $($generics)* {
            /// The keys of the members, in canonical order.
            pub const KEYS: &'static [$crate::cbor::Key<'static>] = &[$($crate::cbor::Key::$kind($key)),*];

            /// The names of the members as fields, each beside its key in [`Self::KEYS`].
            pub const NAMES: &'static [&'static str] = &[$(stringify!($field)),*];
        }

        const _: () = assert!($crate::cbor::canonical($name::KEYS) && $name::KEYS.len() == $name::NAMES.len());

        impl<$life> $crate::cbor::Decode<$life> for $name $($generics)* {
            fn decode(from: &mut $crate::cbor::Decoder<$life>) -> Result<Self, $crate::cbor::DecodeError> {
                $(let mut $field = None;)*
                from.entries(|label, from| {
                    $(if $crate::message!(@is $kind label, $key) {
                        $field = Some(<$type as $crate::cbor::Decode>::decode(from)?);
                        return Ok(true);
                    })*
                    Ok(false)
                })?;
                Ok(Self { $($field: $crate::message!(@take $need $field $missing),)* })
            }
        }

        impl $($generics)* $crate::cbor::Encode for $name $($generics)* {
            fn encode(&self, into: &mut $crate::cbor::Encoder) {
                into.map(0 $(+ $crate::message!(@count $need self.$field))*);
                $($crate::message!(@write $need $kind $key, self.$field, into);)*
            }
        }
    };
    (@type required $type:ty) => { $type };
    (@type optional $type:ty) => { Option<$type> };
    (@take required $field:ident $missing:ident) => {
        $field.ok_or($crate::cbor::DecodeError::$missing)?
    };
    (@take optional $field:ident $missing:ident) => { $field };
    (@is Int $label:ident, $key:literal) => { $label == $crate::cbor::Label::Int($key) };
    (@is Text $label:ident, $key:literal) => {
        matches!($label, $crate::cbor::Label::Text(text) if text == $key.as_bytes())
    };
    (@count required $value:expr) => { 1 };
    (@count optional $value:expr) => { usize::from($value.is_some()) };
    (@write required $kind:ident $key:literal, $value:expr, $into:ident) => {
        $crate::message!(@key $kind $key, $into);
        $crate::cbor::Encode::encode(&$value, $into);
    };
    (@write optional $kind:ident $key:literal, $value:expr, $into:ident) => {
        if let Some(value) = &$value {
            $crate::message!(@key $kind $key, $into);
            $crate::cbor::Encode::encode(value, $into);
        }
    };
    (@key Int $key:literal, $into:ident) => { $into.integer($key) };
    (@key Text $key:literal, $into:ident) => { $into.text($key) };
}
