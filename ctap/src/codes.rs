//! Numbers of the standard and their names: one table gives the constants and the way back.

/// Defines the named values of a type that is a number: the constants, `ALL`, `name` and `meaning`. Behind the table
/// stands what values without a name mean.
macro_rules! codes {
    (
        $type:ident
        $($(#[$doc:meta])* $name:ident = $code:literal, $text:literal, $meaning:literal;)*
        _: $($others:pat => $otherwise:literal,)+
    ) => {
        impl $type {
            $($(#[$doc])* pub const $name: Self = Self($code);)*

            /// Every value that has a name.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The value's name in the standard, if it has one.
            #[must_use]
            pub const fn name(self) -> Option<&'static str> {
                match self {
                    $(Self::$name => Some($text),)*
                    _ => None,
                }
            }

            /// What the value means, for people.
            #[must_use]
            pub const fn meaning(self) -> &'static str {
                match self {
                    $(Self::$name => $meaning,)*
                    $(Self($others) => $otherwise,)+
                }
            }
        }
    };
}

/// Defines the subcommands of a command: a module with the constants, and `name`.
macro_rules! subcommands {
    ($command:literal $($(#[$doc:meta])* $name:ident = $code:literal, $text:literal;)*) => {
        #[doc = concat!("The subcommands of ", $command, ".")]
        pub mod subcommand {
            $($(#[$doc])* pub const $name: u64 = $code;)*

            /// A subcommand's name in the standard, if it has one.
            #[must_use]
            pub const fn name(number: u64) -> Option<&'static str> {
                match number {
                    $($name => Some($text),)*
                    _ => None,
                }
            }
        }
    };
}

pub(crate) use {codes, subcommands};
