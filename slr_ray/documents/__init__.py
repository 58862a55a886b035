"""What people look at: one document as HTML and Markdown, drawings in SVG."""
