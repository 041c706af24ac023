"""Lines of [identity] that several modules need."""


def zero(caller):
    """The command is uid and gid 0 inside, and outside whoever it would be without this."""
    return (
        "[identity]\nuser = 0\ngroup = 0\n"
        f"uid_map = [{{ inside = 0, outside = {caller.inside_uid}, count = 1 }}]\n"
        f"gid_map = [{{ inside = 0, outside = {caller.inside_gid}, count = 1 }}]\n"
    )
