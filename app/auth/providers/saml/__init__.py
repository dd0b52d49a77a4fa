"""SAML 2.0: the gateway as a service provider of the web browser SSO profile (SAML profiles, 4.1)."""
