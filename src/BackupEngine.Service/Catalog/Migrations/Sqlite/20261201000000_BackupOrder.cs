using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace BackupEngine.Service.Catalog.Migrations.Sqlite
{
    /// <inheritdoc />
    internal sealed partial class BackupOrder : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder) =>
            migrationBuilder.AddColumn<long>(name: "order_ticks", table: "backups", type: "INTEGER", nullable: true);

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder) =>
            migrationBuilder.DropColumn(name: "order_ticks", table: "backups");
    }
}
