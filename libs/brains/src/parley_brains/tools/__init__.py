"""The HTTP requests that an agent file declares and a brain may have made."""
