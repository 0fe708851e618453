"""Webmention (W3C Recommendation, 12 January 2017): what a page that says it links to ours says."""
