"""Reminds people of goals, breaks and reviews at their own local time, and tells what their work came to."""
