"""What letters answer, and what pages elsewhere say of them: Webmention (W3C Recommendation, 12 January 2017)."""
