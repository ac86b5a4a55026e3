//! Lists a page at a time: what the search finds, in the order asked for, cut to the page.
//!
//! For lists that are in memory anyway; the call history and the logs are searched by the store.

use serde::Deserialize;
use utoipa::ToSchema;

use crate::input::parameter;
use crate::problem::{FieldCode, Problem};

/// Rows on a page at most, where somebody says how many; else all.
pub const MOST: u32 = 500;
/// Rows left out before a page at most.
pub const FARTHEST: u32 = 1_000_000;
/// Longest text to search for.
const SEARCH_CHARS: usize = 64;

/// Which comes first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// The lowest, the oldest.
    #[default]
    Ascending,
    /// The highest, the newest.
    Descending,
}

/// Which rows of a list make the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// Left out before it.
    pub offset: u32,
    /// On it at most.
    pub limit: u32,
}

/// What is looked for in a list, in any case and without accents.
#[derive(Clone, Debug, Default)]
pub struct Search(Option<String>);

impl Page {
    /// The page that a query asks for; everything from `offset` on where it has no limit.
    ///
    /// # Errors
    /// A parameter out of its range.
    pub fn new(offset: u32, limit: Option<u32>) -> Result<Self, Problem> {
        if limit.is_some_and(|limit| !(1..=MOST).contains(&limit)) {
            return Err(parameter("limit", FieldCode::OutOfRange, "use 1 to 500"));
        }
        if offset > FARTHEST {
            return Err(parameter(
                "offset",
                FieldCode::OutOfRange,
                "use at most 1000000, or search for less",
            ));
        }
        Ok(Self {
            offset,
            limit: limit.unwrap_or(u32::MAX),
        })
    }

    /// The page of `rows`, which are in ascending order, and how many they are.
    pub fn cut<T>(self, rows: Vec<T>, order: Order) -> (u64, Vec<T>) {
        let total = rows.len() as u64;
        let count = |n: u32| usize::try_from(n).unwrap_or(usize::MAX);
        let (skip, take) = (count(self.offset), count(self.limit));
        let page = match order {
            Order::Ascending => rows.into_iter().skip(skip).take(take).collect(),
            Order::Descending => rows.into_iter().rev().skip(skip).take(take).collect(),
        };
        (total, page)
    }
}

impl Search {
    /// The search that a query asks for; all where it has none.
    ///
    /// # Errors
    /// A text that is too long.
    pub fn new(text: Option<String>) -> Result<Self, Problem> {
        let text = text.unwrap_or_default();
        if text.chars().count() > SEARCH_CHARS {
            return Err(parameter(
                "search",
                FieldCode::TooLong,
                "use at most 64 characters",
            ));
        }
        let folded = folded(text.trim());
        Ok(Self((!folded.is_empty()).then_some(folded)))
    }

    /// True where one of `texts` has it in it.
    #[must_use]
    pub fn finds(&self, texts: &[&str]) -> bool {
        let Some(wanted) = &self.0 else { return true };
        texts.iter().any(|text| folded(text).contains(wanted))
    }
}

/// Text as it is searched and sorted by: small letters without the accents of the languages around.
#[must_use]
pub fn folded(text: &str) -> String {
    text.chars()
        .flat_map(char::to_lowercase)
        .map(|c| match c {
            'á' | 'à' | 'â' | 'ä' | 'ã' | 'å' | 'ą' => 'a',
            'č' | 'ć' | 'ç' => 'c',
            'ď' => 'd',
            'é' | 'è' | 'ê' | 'ë' | 'ě' | 'ę' => 'e',
            'í' | 'ì' | 'î' | 'ï' => 'i',
            'ĺ' | 'ľ' | 'ł' => 'l',
            'ň' | 'ñ' | 'ń' => 'n',
            'ó' | 'ò' | 'ô' | 'ö' | 'õ' | 'ő' | 'ø' => 'o',
            'ŕ' | 'ř' => 'r',
            'š' | 'ś' => 's',
            'ť' => 't',
            'ú' | 'ù' | 'û' | 'ü' | 'ů' | 'ű' => 'u',
            'ý' | 'ÿ' => 'y',
            'ž' | 'ź' | 'ż' => 'z',
            other => other,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_without_its_accents() {
        let search = |text: &str| Search::new(Some(text.into())).expect("it is short");
        assert!(search("katerina").finds(&["101", "Kateřina Nováková"]));
        assert!(search(" KATEŘINA ").finds(&["Katerina"]));
        assert!(!search("jana").finds(&["Kateřina"]));
        assert!(search("").finds(&[]));
        assert!(Search::new(Some("x".repeat(65))).is_err());
    }

    #[test]
    fn a_page_is_cut_from_either_end() {
        let page = |offset, limit| Page::new(offset, Some(limit)).expect("it is in range");
        let rows = || (1..=5).collect::<Vec<_>>();
        assert_eq!(page(0, 2).cut(rows(), Order::Ascending), (5, vec![1, 2]));
        assert_eq!(page(1, 2).cut(rows(), Order::Descending), (5, vec![4, 3]));
        assert_eq!(page(9, 2).cut(rows(), Order::Ascending), (5, vec![]));
        let all = Page::new(1, None).expect("it is in range");
        assert_eq!(all.cut(rows(), Order::Ascending), (5, vec![2, 3, 4, 5]));
        assert!(Page::new(0, Some(0)).is_err() && Page::new(0, Some(501)).is_err());
    }
}
