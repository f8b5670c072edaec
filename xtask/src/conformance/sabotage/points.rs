//! Where the source can be sabotaged, and how: each plant is an edit that changes nothing until it is switched on.
//!
//! - *without*: a check whose failure ends in `return Err(..)` is left out;
//! - *unfiltered*: what `filter(|it| ..)` would drop stays;
//! - *always*, *never*: a function that gives a truth gives this one;
//! - *swapped*: of two steps that can each refuse, the second is taken first;
//! - *forgets*: a statement that changes the state is left out;
//! - *status*: another status stands for a reason.

use std::ops::Range;

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

use crate::tidy::tokens::{self, is_punct, is_word};

/// The call by which a plant asks whether it is on.
const SWITCH: &str = "crate::sabotage::on";

/// One text put into the source.
#[derive(Debug, PartialEq, Eq)]
struct Edit {
    at: usize,
    text: String,
}

/// What can be planted into one file.
#[derive(Debug, Default)]
pub(super) struct Points {
    /// The names of the plants.
    pub(super) plants: Vec<String>,
    edits: Vec<Edit>,
}

impl Points {
    /// Finds the plants of a file with this text; `module` is its name among the crate's.
    ///
    /// # Errors
    ///
    /// The line where the text stops being Rust.
    pub(super) fn of(module: &str, text: &str) -> Result<Self, usize> {
        let stream = tokens::parse(text)?;
        let mut finder = Finder { module, text, points: Self::default() };
        finder.items(stream);
        Ok(finder.points)
    }

    /// The text with every plant in it.
    pub(super) fn planted(mut self, text: &str) -> String {
        self.edits.sort_by_key(|edit| edit.at);
        let mut planted = String::with_capacity(text.len() * 2);
        let mut from = 0;
        for Edit { at, text: new } in &self.edits {
            planted.push_str(text.get(from..*at).unwrap_or_default());
            planted.push_str(new);
            from = *at;
        }
        planted.push_str(text.get(from..).unwrap_or_default());
        planted
    }
}

struct Finder<'a> {
    module: &'a str,
    text: &'a str,
    points: Points,
}

/// A step of a function that can refuse: `if .. { return Err(..); }` or `let .. = ..?;`.
struct Refusing {
    /// All of it.
    range: Range<usize>,
    /// The names it gives to later steps.
    binds: Vec<String>,
    /// The names it reads.
    reads: Vec<String>,
    /// What is refused with, or whom it asks for that.
    reason: String,
}

impl Refusing {
    /// Does the second step stand for itself, and refuse for another reason? Which of two missing parameters is
    /// found first, nobody can tell.
    fn refuses_otherwise(&self, second: &Self) -> bool {
        let depends = self.binds.iter().any(|name| second.reads.contains(name));
        !depends && self.reason != second.reason
    }
}

impl Finder<'_> {
    /// Everything outside functions.
    fn items(&mut self, stream: TokenStream) {
        let tokens: Vec<TokenTree> = stream.into_iter().collect();
        let mut rest = tokens.as_slice();
        let mut constant = false;
        while let [first, after @ ..] = rest {
            rest = after;
            if let Some((_, after)) = tokens::test_module(first, after) {
                rest = after;
                continue;
            }
            if let Some((name, body)) = tokens::function(first, after) {
                // What runs at build time cannot ask for the switch.
                if !constant {
                    self.function(&name.to_string(), after, body);
                }
                let end = body.span().byte_range().end;
                while let [passed, after @ ..] = rest {
                    if passed.span().byte_range().start >= end {
                        break;
                    }
                    rest = after;
                }
                constant = false;
                continue;
            }
            if let TokenTree::Group(group) = first {
                self.items(group.stream());
            }
            constant = is_word(first, "const") || (constant && is_word(first, "unsafe"));
        }
    }

    fn function(&mut self, name: &str, after: &[TokenTree], body: &Group) {
        let start = body.span_open().byte_range().end;
        if name == "status" && self.module == "refusal" {
            return self.statuses(after, body);
        }
        if gives_truth(after) {
            for (word, value) in [("always", "true"), ("never", "false")] {
                let on = self.plant(&format!("{name} {word}"));
                self.insert(start, format!(" if {on} {{ return {value}; }} "));
            }
        }
        self.body(name, body);
    }

    /// `fn status` stands aside for one that gives another status if told to.
    fn statuses(&mut self, after: &[TokenTree], body: &Group) {
        let Some(name) = after.first() else { return };
        self.insert(name.span().byte_range().start, "honest_".to_owned());
        self.insert(
            body.span().byte_range().end,
            format!(
                "\n    /// The status, or another.\n    pub fn status(self) -> StatusCode {{\n        \
                 let honest = self.honest_status();\n        \
                 let plant = alloc::format!(\"status {{self:?}}\");\n        \
                 let other = if honest.0 == 0x2C {{ 0x30 }} else {{ 0x2C }};\n        \
                 if {SWITCH}(&plant) {{ StatusCode(other) }} else {{ honest }}\n    }}\n"
            ),
        );
    }

    /// The statements and expressions between braces, parentheses or brackets.
    fn body(&mut self, name: &str, body: &Group) {
        let tokens: Vec<TokenTree> = body.stream().into_iter().collect();
        if body.delimiter() == Delimiter::Brace {
            self.statements(name, &tokens);
        }
        for (at, token) in tokens.iter().enumerate() {
            let TokenTree::Group(group) = token else { continue };
            if at > 0 && tokens.get(at - 1).is_some_and(|before| is_word(before, "filter")) {
                self.filter(name, group);
            }
            self.body(name, group);
        }
        for at in 0..tokens.len() {
            self.check(name, tokens.get(at..).unwrap_or_default());
        }
    }

    /// `if condition { return Err(..); }`
    fn check(&mut self, name: &str, tokens: &[TokenTree]) {
        let Some((condition, block)) = conditional(tokens) else { return };
        let Some(refusal) = refusal_of(block) else { return };
        let on = self.plant(&format!("{name} without {refusal}"));
        let range = span_of(condition);
        // A condition that binds cannot stand in parentheses, and has no `||` outside them.
        let binds = condition.iter().any(|token| is_word(token, "let"));
        if !binds {
            self.insert(range.start, "(".to_owned());
        }
        let close = if binds { "" } else { ")" };
        self.insert(range.end, format!("{close} && !{on}"));
    }

    /// `.filter(|it| condition)`
    fn filter(&mut self, name: &str, group: &Group) {
        let tokens: Vec<TokenTree> = group.stream().into_iter().collect();
        let [bar, closure @ ..] = tokens.as_slice() else { return };
        let Some(second) = closure.iter().position(|token| is_punct(token, '|')) else { return };
        if !is_punct(bar, '|') {
            return;
        }
        let mut condition = closure.get(second + 1..).unwrap_or_default();
        if let [before @ .., comma] = condition
            && is_punct(comma, ',')
        {
            condition = before;
        }
        let range = span_of(condition);
        if range.is_empty() {
            return;
        }
        let on = self.plant(&format!("{name} unfiltered"));
        self.insert(range.start, "(".to_owned());
        self.insert(range.end, format!(") || {on}"));
    }

    /// The statements of a block: those that change state may be forgotten, those that refuse may be swapped.
    fn statements(&mut self, name: &str, tokens: &[TokenTree]) {
        let mut before: Option<Refusing> = None;
        for statement in split(tokens) {
            if changes_state(statement) {
                let what: String =
                    squeezed(self.text, &span_of(statement)).chars().take(40).collect();
                let on = self.plant(&format!("{name} forgets {what}"));
                let range = span_of(statement);
                self.insert(range.start, format!("if !{on} {{ "));
                self.insert(range.end, " }".to_owned());
            }
            let refusing = refusing(statement);
            if let (Some(first), Some(second)) = (&before, &refusing)
                && first.refuses_otherwise(second)
            {
                self.swap(name, first, second);
            }
            before = refusing;
        }
    }

    /// Takes the second step's refusal first.
    fn swap(&mut self, name: &str, first: &Refusing, second: &Refusing) {
        let text = |range: &Range<usize>| self.text.get(range.clone()).unwrap_or_default();
        let early = text(&second.range);
        let what: String = squeezed(self.text, &second.range).chars().take(40).collect();
        let on = self.plant(&format!("{name} swapped, first {what}"));
        self.insert(first.range.start, format!("if {on} {{ {early} }} "));
    }

    /// A new plant's name, and the expression that asks for it.
    fn plant(&mut self, what: &str) -> String {
        let what = what.replace(['"', '\\'], "'");
        let base = format!("{} {what}", self.module);
        let (mut name, mut number) = (base.clone(), 1);
        while self.points.plants.contains(&name) {
            number += 1;
            name = format!("{base} #{number}");
        }
        self.points.plants.push(name.clone());
        format!("{SWITCH}(\"{name}\")")
    }

    fn insert(&mut self, at: usize, text: String) {
        self.points.edits.push(Edit { at, text });
    }
}

/// Does the signature behind the word `fn` end in `-> bool`?
fn gives_truth(after: &[TokenTree]) -> bool {
    let brace = |token: &TokenTree| matches!(token, TokenTree::Group(group) if group.delimiter() == Delimiter::Brace);
    let signature = after.split(brace).next().unwrap_or_default();
    matches!(signature, [.., close, kind] if is_punct(close, '>') && is_word(kind, "bool"))
}

/// The condition and the block of the `if` that these tokens begin with; not the guard of a match arm.
fn conditional(tokens: &[TokenTree]) -> Option<(&[TokenTree], &Group)> {
    let [word, rest @ ..] = tokens else { return None };
    if !is_word(word, "if") {
        return None;
    }
    for (at, token) in rest.iter().enumerate() {
        if is_punct(token, '>') && at > 0 && rest.get(at - 1).is_some_and(|it| is_punct(it, '=')) {
            return None;
        }
        if let TokenTree::Group(block) = token
            && block.delimiter() == Delimiter::Brace
            && !rest.get(at + 1).is_some_and(|next| is_punct(next, '='))
        {
            return rest.get(..at).filter(|condition| !condition.is_empty()).map(|it| (it, block));
        }
    }
    None
}

/// What a block that only refuses refuses with.
fn refusal_of(block: &Group) -> Option<String> {
    let tokens: Vec<TokenTree> = block.stream().into_iter().collect();
    match tokens.as_slice() {
        [word, err, TokenTree::Group(reason), ..]
            if is_word(word, "return") && is_word(err, "Err") =>
        {
            let reason = reason.stream().to_string().replace("Refusal :: ", "").replace('\n', " ");
            Some(reason.split_whitespace().collect::<Vec<_>>().join(" "))
        }
        _ => None,
    }
}

/// The statements of a block, each with its `;` if it has one.
fn split(tokens: &[TokenTree]) -> Vec<&[TokenTree]> {
    let (mut statements, mut start) = (Vec::new(), 0);
    for (at, token) in tokens.iter().enumerate() {
        let first = tokens.get(start);
        let is_block = first.is_some_and(|first| {
            ["if", "for", "while", "match", "loop"].iter().any(|word| is_word(first, word))
        });
        let closes =
            matches!(token, TokenTree::Group(group) if group.delimiter() == Delimiter::Brace);
        let goes_on = tokens.get(at + 1).is_some_and(|next| {
            is_word(next, "else") || ['=', '.', '?', ';'].iter().any(|mark| is_punct(next, *mark))
        });
        if is_punct(token, ';') || (is_block && closes && !goes_on) {
            statements.extend(tokens.get(start..=at));
            start = at + 1;
        }
    }
    statements.extend(tokens.get(start..).filter(|rest| !rest.is_empty()));
    statements
}

/// `self...;`
fn changes_state(statement: &[TokenTree]) -> bool {
    matches!(statement, [first, .., last] if is_word(first, "self") && is_punct(last, ';'))
}

fn refusing(statement: &[TokenTree]) -> Option<Refusing> {
    let range = span_of(statement);
    if let Some((_, block)) = conditional(statement) {
        let alone = block.span().byte_range().end == range.end;
        let reason = refusal_of(block).filter(|_| alone)?;
        let reads = words(statement);
        return Some(Refusing { range, binds: Vec::new(), reads, reason });
    }
    let [word, rest @ .., mark, semicolon] = statement else { return None };
    if !is_word(word, "let") || !is_punct(mark, '?') || !is_punct(semicolon, ';') {
        return None;
    }
    let equals = rest.iter().position(|token| is_punct(token, '='))?;
    let (pattern, value) = rest.split_at_checked(equals)?;
    let value = value.get(1..)?;
    // A function given as an argument may be called only once.
    if matches!(value, [TokenTree::Ident(_), TokenTree::Group(none)] if none.stream().is_empty()) {
        return None;
    }
    let (binds, reads) = (words(pattern), words(value));
    let callee = value.iter().rposition(|token| matches!(token, TokenTree::Group(_)));
    let callee = callee.and_then(|at| value.get(at.checked_sub(1)?));
    let reason = callee.map(ToString::to_string).unwrap_or_default();
    Some(Refusing { range, binds, reads, reason })
}

/// Every name in these tokens, inside groups too.
fn words(tokens: &[TokenTree]) -> Vec<String> {
    let mut names = Vec::new();
    for token in tokens {
        match token {
            TokenTree::Ident(name) => names.push(name.to_string()),
            TokenTree::Group(group) => {
                names.extend(words(&group.stream().into_iter().collect::<Vec<_>>()));
            }
            _ => {}
        }
    }
    names
}

/// From the first token's beginning to the last one's end, in bytes.
fn span_of(tokens: &[TokenTree]) -> Range<usize> {
    let start = tokens.first().map_or(0, |token| token.span().byte_range().start);
    start..tokens.last().map_or(start, |token| token.span().byte_range().end)
}

/// The text on one line.
fn squeezed(text: &str, range: &Range<usize>) -> String {
    let words = text.get(range.clone()).unwrap_or_default().split_whitespace();
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests;
