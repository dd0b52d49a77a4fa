import app.auth.providers.saml  # noqa: F401  (before minisignxml, whose import warns otherwise)
