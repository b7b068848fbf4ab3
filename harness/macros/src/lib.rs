//! `#[tempest::test]`: a test whose body describes a storm.
use proc_macro::TokenStream;
use quote::quote;
use syn::{ItemFn, LitInt, parse_macro_input};

/// Seeds that a test tries unless it says otherwise.
const SEEDS_DEFAULT: u64 = 10;

/// Runs the storm that the function returns once per seed, each in a process of its own.
///
/// ```ignore
/// #[tempest::test(seeds = 20)]
/// fn survives() -> tempest::Storm {
///     tempest::Storm::new()
/// }
/// ```
///
/// Seeds run in parallel, from 1 on. The first of them and then one in ten run twice: if the two courses differ, the test
/// fails, since a failure that cannot be repeated helps no one. `#[tempest::test(seed = 7)]` is one seed alone, for a run that
/// once failed.
///
/// | variable | does |
/// |---|---|
/// | `TEMPEST_SEED=7` | repeats one seed; `TEMPEST_SEED=100..200` tries others |
/// | `TEMPEST_SET=nodes=1,faults=3` | sets options that would be drawn, as `--set` of `tempest run` |
/// | `TEMPEST_JOBS=2` | so many seeds at the same time; as many as there are processors if it is not set |
/// | `TEMPEST_OUT=DIR` | where artifacts and pages of failed runs go |
/// | `TEMPEST_SHRINK=ARTIFACT` | makes a failed run of the test smaller, and prints it as a test |
#[proc_macro_attribute]
pub fn test(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let (mut first, mut seeds) = (1_u64, SEEDS_DEFAULT);
    let parser = syn::meta::parser(|meta| {
        let is = |name: &str| meta.path.is_ident(name);
        if !is("seeds") && !is("seed") {
            return Err(meta.error("the only arguments are `seeds = N` and `seed = S`"));
        }
        let number = meta.value()?.parse::<LitInt>()?.base10_parse()?;
        if is("seeds") {
            seeds = number;
        } else {
            (first, seeds) = (number, 1);
        }
        Ok(())
    });
    parse_macro_input!(arguments with parser);
    let mut function = parse_macro_input!(item as ItemFn);
    // `#[should_panic]` and its like are about the test.
    let attributes = std::mem::take(&mut function.attrs);
    if !function.sig.inputs.is_empty() {
        let error =
            syn::Error::new_spanned(&function.sig.inputs, "a storm takes no arguments: it returns a tempest::Storm");
        return error.to_compile_error().into();
    }
    let name = &function.sig.ident;
    quote! {
        #(#attributes)*
        #[test]
        fn #name() {
            #function
            const MODULE: &str = ::core::module_path!();
            // libtest names a test by its path within the crate.
            let path = match MODULE.split_once("::") {
                ::core::option::Option::Some((_, module)) => {
                    ::std::format!("{module}::{}", ::core::stringify!(#name))
                }
                ::core::option::Option::None => ::std::string::ToString::to_string(::core::stringify!(#name)),
            };
            ::tempest::testing::TestCase { path: path.leak(), first: #first, seeds: #seeds, storm: #name }
                .run();
        }
    }
    .into()
}
