from app.core.doctor.finding import Finding
from app.core.settings import Settings


async def check_store(settings: Settings) -> list[Finding]:
    """Look at the store that the settings name. It changes nothing and disturbs nobody."""
    # One backend is loaded, not both.
    if settings.mongodb_uri is not None:
        from app.core.doctor.mongo import check_mongo  # noqa: PLC0415

        return await check_mongo(settings)
    from app.core.doctor.sqlite import check_sqlite  # noqa: PLC0415

    return check_sqlite(settings.state_dir / "gatepost.db")
