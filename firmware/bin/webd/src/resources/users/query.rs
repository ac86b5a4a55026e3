//! Which users a list has, and in which order.

use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::body::User;
use crate::list::{Order, Page, Search, folded};
use crate::problem::Problem;
use crate::words::Role;

/// Which users, in which order, and which page of them.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct UserPage {
    /// Name, full name, e-mail address or the number of an extension has this in it, in any case
    /// and with or without accents.
    #[param(max_length = 64, example = "winston")]
    search: Option<String>,
    /// With these rights.
    role: Option<Role>,
    /// Enabled or disabled ones.
    enabled: Option<bool>,
    /// By what they are sorted.
    #[serde(default)]
    #[param(required = false)]
    sort: UserSort,
    /// Which comes first.
    #[serde(default)]
    #[param(required = false)]
    order: Order,
    /// Users left out before the page.
    #[serde(default)]
    #[param(default = 0, maximum = 1000000)]
    offset: u32,
    /// Users on the page; all where left out.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
}

/// By what users are sorted.
#[derive(Clone, Copy, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum UserSort {
    /// Login name.
    #[default]
    Name,
    /// Name shown to people.
    FullName,
    /// E-mail address.
    Email,
    /// Rights on the administration.
    Role,
    /// The first extension.
    Extension,
}

impl UserPage {
    /// The page of `users`, and how many the search found.
    pub(super) fn of(self, mut users: Vec<User>) -> Result<(u64, Vec<User>), Problem> {
        let page = Page::new(self.offset, self.limit)?;
        let search = Search::new(self.search)?;
        users.retain(|user| {
            let person = &user.person;
            let mut texts = vec![person.name.as_str(), &person.full_name];
            texts.extend(person.email.as_deref());
            texts.extend(user.extensions.iter().map(|own| own.number.as_str()));
            self.role.is_none_or(|role| role == person.role)
                && self.enabled.is_none_or(|enabled| enabled == person.enabled)
                && search.finds(&texts)
        });
        users.sort_by_cached_key(|user| {
            let person = &user.person;
            let (role, text) = match self.sort {
                UserSort::Name => (None, String::new()),
                UserSort::FullName => (None, folded(&person.full_name)),
                UserSort::Email => (None, folded(person.email.as_deref().unwrap_or_default())),
                UserSort::Role => (Some(model::Role::from(person.role)), String::new()),
                UserSort::Extension => {
                    let first = user.extensions.iter().map(|own| own.number.clone()).min();
                    (None, first.unwrap_or_default())
                }
            };
            (role, text, folded(&person.name))
        });
        Ok(page.cut(users, self.order))
    }
}
