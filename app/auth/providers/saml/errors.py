class Refused(Exception):  # noqa: N818  (what happened)
    """A login by SAML that does not count: one plain sentence: what, why, the fix; no assertion."""


class UnknownCertificate(Refused):
    """It is signed with a certificate that the metadata at hand does not have; newer metadata may."""
