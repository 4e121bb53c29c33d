//! Text with `{column}` in it, filled in from a row.

use thiserror::Error;

/// A template, its columns resolved to positions in a row.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Template(Vec<Piece>);

#[derive(Clone, PartialEq, Eq, Debug)]
enum Piece {
    Text(String),
    Column(usize),
}

/// Why a template cannot be used with a file.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum TemplateError {
    /// A brace without its partner.
    #[error("{0:?}: '{{' and '}}' enclose the name of a column")]
    Braces(String),
    /// A name between braces that the header does not have.
    #[error("{template:?}: the file has no column {column:?}")]
    NoColumn {
        /// The whole template.
        template: String,
        /// The name in braces.
        column: String,
    },
}

impl Template {
    /// Reads a template for a file with these columns.
    ///
    /// # Errors
    /// [`TemplateError`].
    pub fn parse(text: &str, header: &[String]) -> Result<Self, TemplateError> {
        let braces = || TemplateError::Braces(text.to_owned());
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some(open) = rest.find(['{', '}']) {
            let (before, from) = rest.split_at(open);
            let inside = from.strip_prefix('{').ok_or_else(braces)?;
            let (name, after) = inside.split_once('}').ok_or_else(braces)?;
            let position = header.iter().position(|column| column == name);
            let no_column = || TemplateError::NoColumn { template: text.to_owned(), column: name.to_owned() };
            if !before.is_empty() {
                pieces.push(Piece::Text(before.to_owned()));
            }
            pieces.push(Piece::Column(position.ok_or_else(no_column)?));
            rest = after;
        }
        if !rest.is_empty() {
            pieces.push(Piece::Text(rest.to_owned()));
        }
        Ok(Self(pieces))
    }

    /// The text for one row; a column that the row lacks is empty.
    pub fn fill(&self, row: &[String]) -> String {
        let piece = |piece: &Piece| match piece {
            Piece::Text(text) => text.clone(),
            Piece::Column(at) => row.get(*at).cloned().unwrap_or_default(),
        };
        self.0.iter().map(piece).collect()
    }

    /// Positions of the columns that it uses, in order.
    pub fn columns(&self) -> impl Iterator<Item = usize> {
        self.0.iter().filter_map(|piece| match piece {
            Piece::Column(at) => Some(*at),
            Piece::Text(_) => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(parts: &[&str]) -> Vec<String> {
        parts.iter().map(|part| (*part).to_owned()).collect()
    }

    #[test]
    fn columns_are_filled_in() {
        let header = texts(&["bank", "account"]);
        let template = Template::parse("bank:{bank}-{account}", &header).unwrap();
        assert_eq!(template.fill(&texts(&["AB", "17"])), "bank:AB-17");
        assert_eq!(template.fill(&texts(&["AB"])), "bank:AB-");
        assert!(template.columns().eq([0, 1]));
        assert_eq!(Template::parse("cash", &header).unwrap().fill(&[]), "cash");
    }

    #[test]
    fn what_is_no_template_is_refused() {
        let header = texts(&["bank"]);
        for text in ["{bank", "bank}", "{bank}}", "{", "}"] {
            assert_eq!(Template::parse(text, &header), Err(TemplateError::Braces(text.to_owned())), "{text}");
        }
        let unknown = Template::parse("{Bank}", &header);
        let column = "Bank".to_owned();
        assert_eq!(unknown, Err(TemplateError::NoColumn { template: "{Bank}".to_owned(), column }));
    }
}
