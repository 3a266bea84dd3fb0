"""What people read: export rows, the HTML report, contact sheets. Values in, bytes out.

Entry points: :func:`ris_jobs.report.html.render`, :func:`ris_jobs.report.export.write`,
:func:`ris_jobs.report.contact.contact_sheet`, and :mod:`ris_jobs.report.terminal`. Their
values are in :mod:`ris_jobs.report.views` and :mod:`ris_jobs.report.rows`.
"""
