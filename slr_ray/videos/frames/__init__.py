"""Frames out of video files and folders of pictures, as players show them. It knows PyAV."""
