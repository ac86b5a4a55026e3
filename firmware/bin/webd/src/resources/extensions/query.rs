//! Which extensions a list has, and in which order.

use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::body::Extension;
use crate::list::{Order, Page, Search, folded};
use crate::problem::Problem;

/// Which extensions, in which order, and which page of them.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ExtensionPage {
    /// Number, description, SIP user name, caller name or the name of the user has this in it, in any
    /// case and with or without accents.
    #[param(max_length = 64, example = "reception")]
    search: Option<String>,
    /// Those of the user with this id.
    #[param(format = "uint32", maximum = 4_294_967_295_u32)]
    user: Option<u32>,
    /// Enabled or disabled ones.
    enabled: Option<bool>,
    /// With a registered phone or without; none where the exchange does not answer.
    registered: Option<bool>,
    /// By what they are sorted.
    #[serde(default)]
    #[param(required = false)]
    sort: ExtensionSort,
    /// Which comes first.
    #[serde(default)]
    #[param(required = false)]
    order: Order,
    /// Extensions left out before the page.
    #[serde(default)]
    #[param(default = 0, maximum = 1000000)]
    offset: u32,
    /// Extensions on the page; all where left out.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
}

/// By what extensions are sorted.
#[derive(Clone, Copy, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ExtensionSort {
    /// Number, digit by digit.
    #[default]
    Number,
    /// What the administrator wrote.
    Description,
    /// The user's name.
    User,
    /// How many phones are registered.
    Phones,
}

impl ExtensionPage {
    /// The page of `extensions`, and how many the search found.
    pub(super) fn of(
        self,
        mut extensions: Vec<Extension>,
    ) -> Result<(u64, Vec<Extension>), Problem> {
        let page = Page::new(self.offset, self.limit)?;
        let search = Search::new(self.search)?;
        extensions.retain(|extension| {
            let mut texts = vec![
                extension.number.as_str(),
                &extension.description,
                &extension.sip_username,
            ];
            texts.extend(extension.user_name.as_deref());
            texts.extend(extension.caller_name.as_deref());
            self.user.is_none_or(|user| extension.user == Some(user))
                && self
                    .enabled
                    .is_none_or(|enabled| extension.enabled == enabled)
                && self.registered.is_none_or(|registered| {
                    extension
                        .phones
                        .is_some_and(|phones| (phones > 0) == registered)
                })
                && search.finds(&texts)
        });
        extensions.sort_by_cached_key(|extension| {
            let (text, phones) = match self.sort {
                ExtensionSort::Number => (String::new(), 0),
                ExtensionSort::Description => (folded(&extension.description), 0),
                ExtensionSort::User => (
                    folded(extension.user_name.as_deref().unwrap_or_default()),
                    0,
                ),
                ExtensionSort::Phones => (String::new(), extension.phones.unwrap_or(0)),
            };
            (phones, text, extension.number.clone())
        });
        Ok(page.cut(extensions, self.order))
    }
}
