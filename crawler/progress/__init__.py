"""What a run shows: one stream of events, counted, told to a person or a program."""
