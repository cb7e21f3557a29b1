using System.Globalization;
using System.Linq.Expressions;

namespace BackupEngine.Service.Catalog;

/// <summary>A column that lists can be filtered and sorted by.</summary>
/// <typeparam name="TRow">The table's rows.</typeparam>
internal abstract class Column<TRow>
{
    /// <summary>Rows whose column equals a value as written in a request; null when no row can.</summary>
    public abstract Expression<Func<TRow, bool>>? EqualTo(string text);

    /// <summary>Rows in this column's order, after any order that they have already.</summary>
    public abstract IOrderedQueryable<TRow> Order(IQueryable<TRow> rows, bool isFirst, bool descending);

    /// <summary>Whether the row is on the same place as, or beyond, a row of the list.</summary>
    public abstract Expression Compare(ParameterExpression row, TRow marker, bool descending, bool orEqual);

    /// <summary>Whether the row is on the same place as a row of the list.</summary>
    public abstract Expression SameAs(ParameterExpression row, TRow marker);

    /// <summary>A column of text, and what it is sorted by if that is something else; null sorts as if it were empty.</summary>
    public static Column<TRow> Text(Expression<Func<TRow, string?>> column, Expression<Func<TRow, string?>>? order = null)
    {
        order ??= column;
        Expression<Func<TRow, string>> key = Expression.Lambda<Func<TRow, string>>(Expression.Coalesce(order.Body, Expression.Constant("")), order.Parameters);
        return new Column<TRow, string>(key, column, text => (true, text));
    }

    public static Column<TRow> Number(Expression<Func<TRow, long>> key) => new Column<TRow, long>(
        key, key, text => (long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long value), value));

    public static Column<TRow> Time(Expression<Func<TRow, DateTime>> column, Expression<Func<TRow, DateTime>>? order = null) => new Column<TRow, DateTime>(
        order ?? column, column, text => (DateTime.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out DateTime value), value));
}

/// <inheritdoc/>
/// <param name="key">The column's value, null replaced by what sorts first.</param>
/// <param name="column">The column itself, which an index can be asked for.</param>
/// <param name="parse">Reads a value of the column.</param>
internal sealed class Column<TRow, TValue>(Expression<Func<TRow, TValue>> key, LambdaExpression column, Func<string, (bool IsValid, TValue Value)> parse) : Column<TRow>
{
    private readonly Func<TRow, TValue> _read = key.Compile();

    public override Expression<Func<TRow, bool>>? EqualTo(string text)
    {
        (bool isValid, TValue value) = parse(text);
        return isValid ? Expression.Lambda<Func<TRow, bool>>(Expression.Equal(column.Body, Parameter(value)), column.Parameters) : null;
    }

    public override IOrderedQueryable<TRow> Order(IQueryable<TRow> rows, bool isFirst, bool descending) => (isFirst, descending) switch
    {
        (true, true) => rows.OrderByDescending(key),
        (true, false) => rows.OrderBy(key),
        (false, true) => ((IOrderedQueryable<TRow>)rows).ThenByDescending(key),
        (false, false) => ((IOrderedQueryable<TRow>)rows).ThenBy(key),
    };

    public override Expression Compare(ParameterExpression row, TRow marker, bool descending, bool orEqual)
    {
        Expression left = Body(row);
        Expression right = Parameter(_read(marker));
        if (typeof(TValue) == typeof(string))
        {
            left = Expression.Call(typeof(string), nameof(string.Compare), null, left, right);
            right = Expression.Constant(0);
        }

        return (descending, orEqual) switch
        {
            (true, true) => Expression.LessThanOrEqual(left, right),
            (true, false) => Expression.LessThan(left, right),
            (false, true) => Expression.GreaterThanOrEqual(left, right),
            (false, false) => Expression.GreaterThan(left, right),
        };
    }

    public override Expression SameAs(ParameterExpression row, TRow marker) => Expression.Equal(Body(row), Parameter(_read(marker)));

    private Expression Body(ParameterExpression row) => new Replacement(key.Parameters[0], row).Visit(key.Body);

    // A captured variable, so that the database sees a parameter: neither an injection nor a new statement for every value.
    private static Expression Parameter(TValue value)
    {
        Expression<Func<TValue>> captured = () => value;
        return captured.Body;
    }

    private sealed class Replacement(ParameterExpression from, ParameterExpression to) : ExpressionVisitor
    {
        protected override Expression VisitParameter(ParameterExpression node) => node == from ? to : node;
    }
}
