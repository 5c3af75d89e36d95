"""One command that runs all of Parley on this machine, broker and simulated Twilio included."""
