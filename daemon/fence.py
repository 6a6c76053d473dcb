"""What a run that is not ours any more is told."""


class Fenced(Exception):
    """The run is somebody else's now: its token was replaced. Nothing of this transaction stays."""


class CursorError(ValueError):
    """A batch must move the cursor, or a resumed run would do it again."""
