using Microsoft.EntityFrameworkCore.Migrations;
using Quartz;

namespace BackupEngine.Service.Catalog;

/// <summary>The job store's own tables, from the script that the Quartz package carries: every statement of it makes only what is missing.</summary>
internal static class QuartzTables
{
    public const string Prefix = "qrtz_";

    private const string Separator = "\n--;;";

    /// <summary>Makes the tables within a migration.</summary>
    /// <param name="migration">The migration.</param>
    /// <param name="dialect">The package's name for the database: <c>sqlite</c> or <c>postgres</c>.</param>
    public static void Create(MigrationBuilder migration, string dialect)
    {
        using Stream script = typeof(IJob).Assembly.GetManifestResourceStream($"Quartz.Impl.AdoJobStore.Schema.create_{dialect}.sql")
            ?? throw new InvalidOperationException($"The Quartz package carries no script for {dialect}.");
        using StreamReader reader = new(script);
        string text = reader.ReadToEnd().ReplaceLineEndings("\n").Replace("{0}", Prefix, StringComparison.Ordinal).Replace("{1}", Prefix, StringComparison.Ordinal);
        foreach (string statement in text.Split(Separator).Skip(1))
        {
            migration.Sql(statement.Trim());
        }
    }
}
