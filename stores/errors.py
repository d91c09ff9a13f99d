"""Error codes of AWS."""


def error_code(error: Exception) -> str:
    """Return the code of botocore's ClientError, or an empty text for any other exception."""
    response = getattr(error, "response", {})
    return str(response.get("Error", {}).get("Code", ""))
