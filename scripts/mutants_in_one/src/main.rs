//! Puts changes that cargo-mutants lists into one program. Each stands beside the code that it changes, behind a question
//! whether it is the one that `MUTANT` names, so that a run of the tests costs no build.
//!
//!     mutants-in-one LIST FOLDER [LEFT-OUT]
//!
//! LIST is the answer of `cargo mutants --list --json`, FOLDER the copy of the checkout whose files are rewritten, LEFT-OUT a
//! file with the numbers of changes that do not compile. A change's number is its place in the list, from 1. Prints the
//! numbers that were placed, one a line.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use proc_macro2::{LineColumn, TokenStream};
use quote::{ToTokens, quote};
use serde_json::Value;
use syn::spanned::Spanned;
use syn::visit_mut::{self, VisitMut};
use syn::{Block, Expr, File, Pat, Signature, parse_quote};

type Fault = Box<dyn std::error::Error>;

/// A change: where, of what kind, and what stands there instead.
struct Change {
    number: usize,
    genre: String,
    replacement: String,
}

/// Line from 1 and column from 0 at which the changed code begins.
type Place = (usize, usize);

fn main() -> Result<(), Fault> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (list, folder) = (&arguments[0], Path::new(&arguments[1]));
    let left_out: BTreeSet<usize> = match arguments.get(2) {
        Some(path) => std::fs::read_to_string(path)?.lines().map(str::parse).collect::<Result<_, _>>()?,
        None => BTreeSet::new(),
    };
    let mut files: BTreeMap<String, BTreeMap<Place, Vec<Change>>> = BTreeMap::new();
    let listed: Vec<Value> = serde_json::from_str(&std::fs::read_to_string(list)?)?;
    for (number, mutant) in (1..).zip(&listed).filter(|(number, _)| !left_out.contains(number)) {
        let text = |field: &str| mutant[field].as_str().map(str::to_owned).ok_or(format!("no {field}"));
        let start = &mutant["span"]["start"];
        let at = |field: &str| start[field].as_u64().map(|at| at as usize).ok_or(format!("no {field}"));
        let change = Change { number, genre: text("genre")?, replacement: text("replacement")? };
        let place = (at("line")?, at("column")? - 1);
        files.entry(text("file")?).or_default().entry(place).or_default().push(change);
    }
    for (file, changes) in files {
        let path = folder.join(&file);
        let mut parsed: File = syn::parse_file(&std::fs::read_to_string(&path)?)?;
        let mut placing = Placing { changes, placed: Vec::new() };
        placing.visit_file_mut(&mut parsed);
        std::fs::write(&path, prettyplease::unparse(&parsed))?;
        placing.placed.iter().for_each(|number| println!("{number}"));
    }
    Ok(())
}

struct Placing {
    changes: BTreeMap<Place, Vec<Change>>,
    placed: Vec<usize>,
}

impl Placing {
    /// The changes of a kind at a place.
    fn take(&mut self, at: LineColumn, genre: &str) -> Vec<Change> {
        let Some(changes) = self.changes.get_mut(&(at.line, at.column)) else { return Vec::new() };
        changes.extract_if(.., |change| change.genre == genre).collect()
    }

    /// `instead` for each change that is asked for, else what was there.
    fn put(&mut self, expr: &mut Expr, changes: Vec<Change>, instead: impl Fn(&Expr, &Change) -> Option<Expr>) {
        let original = expr.clone();
        for change in changes {
            let Some(changed) = instead(&original, &change) else { continue };
            let number = change.number;
            // A `let` of a condition, and what it names, stand in no brackets.
            if has_let(&original) {
                continue;
            }
            let choice = quote!((if crate::mutant::is(#number) { (#changed) } else { (#expr) }));
            if let Ok(choice) = syn::parse2(choice) {
                *expr = choice;
                self.placed.push(number);
            }
        }
    }

    /// Changes of a whole function; their place is that of its first statement.
    fn of_function(&mut self, signature: &Signature, body: &Block) -> Vec<Change> {
        match body.stmts.first() {
            Some(first) if signature.constness.is_none() => self.take(first.span().start(), "FnValue"),
            _ => Vec::new(),
        }
    }

    fn return_early(&mut self, body: &mut Block, changes: Vec<Change>) {
        for Change { number, replacement, .. } in changes {
            let Ok(value) = syn::parse_str::<Expr>(&replacement) else { continue };
            body.stmts.insert(0, parse_quote!(if crate::mutant::is(#number) { return #value; }));
            self.placed.push(number);
        }
    }
}

impl VisitMut for Placing {
    fn visit_item_fn_mut(&mut self, function: &mut syn::ItemFn) {
        let changes = self.of_function(&function.sig, &function.block);
        visit_mut::visit_item_fn_mut(self, function);
        self.return_early(&mut function.block, changes);
    }

    fn visit_impl_item_fn_mut(&mut self, function: &mut syn::ImplItemFn) {
        let changes = self.of_function(&function.sig, &function.block);
        visit_mut::visit_impl_item_fn_mut(self, function);
        self.return_early(&mut function.block, changes);
    }

    fn visit_expr_mut(&mut self, expr: &mut Expr) {
        // Places are those of the file: taken before anything in here is written anew.
        let (genre, at) = match expr {
            Expr::Binary(binary) => ("BinaryOperator", binary.op.span().start()),
            Expr::Unary(unary) => ("UnaryOperator", unary.op.span().start()),
            Expr::Struct(made) => {
                let places: Vec<_> = made.fields.iter().map(|field| field.span().start()).collect();
                let changes: Vec<_> = places.iter().map(|at| self.take(*at, "StructField")).collect();
                visit_mut::visit_expr_mut(self, expr);
                let made = expr.clone();
                for (position, changes) in changes.into_iter().enumerate() {
                    self.put(expr, changes, |_, _| without_field(&made, position));
                }
                return;
            }
            _ => return visit_mut::visit_expr_mut(self, expr),
        };
        let changes = self.take(at, genre);
        visit_mut::visit_expr_mut(self, expr);
        self.put(expr, changes, |original, change| match original {
            Expr::Binary(binary) => {
                let (left, right) = (&binary.left, &binary.right);
                let operator: TokenStream = change.replacement.parse().ok()?;
                syn::parse2(quote!(#left #operator #right)).ok()
            }
            Expr::Unary(unary) => {
                let (operand, operator) = (&unary.expr, change.replacement.parse::<TokenStream>().ok()?);
                syn::parse2(quote!(#operator #operand)).ok()
            }
            _ => None,
        });
    }

    fn visit_arm_mut(&mut self, arm: &mut syn::Arm) {
        let gone = self.take(arm.span().start(), "MatchArm");
        let of_guard = match &arm.pat {
            Pat::Guard(guarded) => self.take(guarded.guard.span().start(), "MatchArmGuard"),
            _ => Vec::new(),
        };
        visit_mut::visit_arm_mut(self, arm);
        for change in gone {
            let (number, pat) = (change.number, &arm.pat);
            arm.pat = match pat {
                Pat::Guard(guarded) => {
                    let (pat, guard) = (&guarded.pat, &guarded.guard);
                    guarded_by(pat.to_token_stream(), quote!(!crate::mutant::is(#number) && (#guard)))
                }
                pat => guarded_by(pat.to_token_stream(), quote!(!crate::mutant::is(#number))),
            };
            self.placed.push(number);
        }
        if let Pat::Guard(guarded) = &mut arm.pat {
            let mut guard = guarded.guard.clone();
            self.put(&mut guard, of_guard, |_, change| syn::parse_str(&change.replacement).ok());
            guarded.guard = guard;
        }
    }
}

/// Whether a condition has a `let` among its parts.
fn has_let(expr: &Expr) -> bool {
    match expr {
        Expr::Let(_) => true,
        Expr::Binary(binary) => has_let(&binary.left) || has_let(&binary.right),
        _ => false,
    }
}

/// A struct expression with one field less, which the base then gives.
fn without_field(original: &Expr, position: usize) -> Option<Expr> {
    let Expr::Struct(made) = original else { return None };
    let mut made = made.clone();
    let fields = std::mem::take(&mut made.fields).into_iter().enumerate();
    made.fields = fields.filter(|(at, _)| *at != position).map(|(_, field)| field).collect();
    Some(Expr::Struct(made))
}

/// A pattern with a guard.
fn guarded_by(pat: TokenStream, guard: TokenStream) -> Pat {
    let arm: syn::Arm = parse_quote!(#pat if #guard => {});
    arm.pat
}
