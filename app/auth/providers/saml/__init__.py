"""SAML 2.0: the gateway as a service provider of the web browser SSO profile (SAML profiles, 4.1)."""

import warnings

with warnings.catch_warnings():
    # minisignxml parses with a module of defusedxml that is deprecated, and warns whoever imports it.
    warnings.simplefilter("ignore", DeprecationWarning)
    import defusedxml.lxml  # type: ignore[import-untyped]  # noqa: F401
