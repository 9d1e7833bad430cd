"""The application of the pages: visits, forms, navigation, security headers and the calls to the service."""
