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
/// `TEMPEST_SEED=7` repeats one seed, `TEMPEST_SEED=100..200` tries others.
#[proc_macro_attribute]
pub fn test(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let mut seeds = SEEDS_DEFAULT;
    let parser = syn::meta::parser(|meta| {
        if !meta.path.is_ident("seeds") {
            return Err(meta.error("the only argument is `seeds = N`"));
        }
        seeds = meta.value()?.parse::<LitInt>()?.base10_parse()?;
        Ok(())
    });
    parse_macro_input!(arguments with parser);
    let function = parse_macro_input!(item as ItemFn);
    if !function.sig.inputs.is_empty() {
        let error =
            syn::Error::new_spanned(&function.sig.inputs, "a storm takes no arguments: it returns a tempest::Storm");
        return error.to_compile_error().into();
    }
    let name = &function.sig.ident;
    quote! {
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
            ::tempest::testing::TestCase { path: path.leak(), seeds: #seeds, storm: #name }.run();
        }
    }
    .into()
}
