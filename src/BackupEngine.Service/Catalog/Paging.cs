using System.Linq.Expressions;

namespace BackupEngine.Service.Catalog;

/// <summary>Orders of lists, and where their pages begin.</summary>
internal static class Paging
{
    /// <summary>Puts rows in an order of columns.</summary>
    public static IQueryable<TRow> InOrder<TRow>(this IQueryable<TRow> rows, IReadOnlyList<(Column<TRow> Column, bool Descending)> order)
    {
        for (int i = 0; i < order.Count; i++)
        {
            rows = order[i].Column.Order(rows, i == 0, order[i].Descending);
        }

        return rows;
    }

    /// <summary>The rows after one in an order: found by value and not by count, so that rows that come and go before it shift nothing.</summary>
    public static IQueryable<TRow> After<TRow>(this IQueryable<TRow> rows, IReadOnlyList<(Column<TRow> Column, bool Descending)> order, TRow marker)
    {
        ParameterExpression row = Expression.Parameter(typeof(TRow), "row");
        Expression after = Expression.Constant(false);
        for (int i = order.Count - 1; i >= 0; i--)
        {
            (Column<TRow> column, bool descending) = order[i];
            Expression beyond = column.Compare(row, marker, descending, orEqual: false);
            after = i == order.Count - 1
                ? beyond
                : Expression.OrElse(beyond, Expression.AndAlso(column.SameAs(row, marker), after));
        }

        // The database can seek to a bound on the first column; it cannot to a disjunction.
        Expression bound = order[0].Column.Compare(row, marker, order[0].Descending, orEqual: true);
        return rows.Where(Expression.Lambda<Func<TRow, bool>>(Expression.AndAlso(bound, after), row));
    }
}
