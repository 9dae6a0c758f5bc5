"""What each command is asked, without its work: nothing here imports torch, so that help is there at once."""
