using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace BackupEngine.Service.Catalog.Migrations.Sqlite
{
    /// <inheritdoc />
    internal sealed partial class Initial : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "backups",
                columns: table => new
                {
                    id = table.Column<string>(type: "TEXT", nullable: false, collation: "BINARY"),
                    project_id = table.Column<string>(type: "TEXT", nullable: false, collation: "BINARY"),
                    user_id = table.Column<string>(type: "TEXT", nullable: false, collation: "BINARY"),
                    name = table.Column<string>(type: "TEXT", nullable: true, collation: "BINARY"),
                    description = table.Column<string>(type: "TEXT", nullable: true, collation: "BINARY"),
                    status = table.Column<string>(type: "TEXT", nullable: false, collation: "BINARY"),
                    fail_reason = table.Column<string>(type: "TEXT", nullable: true, collation: "BINARY"),
                    size = table.Column<long>(type: "INTEGER", nullable: false),
                    size_bytes = table.Column<long>(type: "INTEGER", nullable: false),
                    object_count = table.Column<int>(type: "INTEGER", nullable: false),
                    availability_zone = table.Column<string>(type: "TEXT", nullable: true, collation: "BINARY"),
                    container = table.Column<string>(type: "TEXT", nullable: true, collation: "BINARY"),
                    created_at = table.Column<DateTime>(type: "TEXT", nullable: false),
                    updated_at = table.Column<DateTime>(type: "TEXT", nullable: true),
                    data_timestamp = table.Column<DateTime>(type: "TEXT", nullable: true),
                    volume_id = table.Column<string>(type: "TEXT", nullable: false, collation: "BINARY"),
                    snapshot_id = table.Column<string>(type: "TEXT", nullable: true, collation: "BINARY"),
                    parent_id = table.Column<string>(type: "TEXT", nullable: true, collation: "BINARY"),
                    encryption_key_id = table.Column<string>(type: "TEXT", nullable: true, collation: "BINARY"),
                    metadata = table.Column<string>(type: "TEXT", nullable: false, collation: "BINARY"),
                    temp_snapshot_id = table.Column<string>(type: "TEXT", nullable: true, collation: "BINARY"),
                    restore_volume_id = table.Column<string>(type: "TEXT", nullable: true, collation: "BINARY"),
                    is_committed = table.Column<bool>(type: "INTEGER", nullable: false),
                    status_before = table.Column<string>(type: "TEXT", nullable: true, collation: "BINARY"),
                    updated_before = table.Column<DateTime>(type: "TEXT", nullable: true),
                    imported_record = table.Column<string>(type: "TEXT", nullable: true, collation: "BINARY"),
                    job_id = table.Column<string>(type: "TEXT", nullable: true, collation: "BINARY"),
                    job_kind = table.Column<string>(type: "TEXT", nullable: true, collation: "BINARY"),
                    running_job_id = table.Column<string>(type: "TEXT", nullable: true, collation: "BINARY"),
                    progress_done = table.Column<long>(type: "INTEGER", nullable: false),
                    progress_total = table.Column<long>(type: "INTEGER", nullable: false),
                    progress_read = table.Column<long>(type: "INTEGER", nullable: false),
                    progress_changed = table.Column<long>(type: "INTEGER", nullable: false),
                    progress_stored = table.Column<long>(type: "INTEGER", nullable: false),
                    deleted_at = table.Column<DateTime>(type: "TEXT", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_backups", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "quotas",
                columns: table => new
                {
                    project_id = table.Column<string>(type: "TEXT", nullable: false, collation: "BINARY"),
                    resource = table.Column<string>(type: "TEXT", nullable: false, collation: "BINARY"),
                    limit = table.Column<long>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_quotas", x => new { x.project_id, x.resource });
                });

            migrationBuilder.CreateTable(
                name: "snapshots",
                columns: table => new
                {
                    id = table.Column<string>(type: "TEXT", nullable: false, collation: "BINARY"),
                    project_id = table.Column<string>(type: "TEXT", nullable: false, collation: "BINARY"),
                    volume_id = table.Column<string>(type: "TEXT", nullable: false, collation: "BINARY"),
                    name = table.Column<string>(type: "TEXT", nullable: true, collation: "BINARY"),
                    description = table.Column<string>(type: "TEXT", nullable: true, collation: "BINARY"),
                    status = table.Column<string>(type: "TEXT", nullable: false, collation: "BINARY"),
                    previous_status = table.Column<string>(type: "TEXT", nullable: true, collation: "BINARY"),
                    busy_job_id = table.Column<string>(type: "TEXT", nullable: true, collation: "BINARY"),
                    size = table.Column<long>(type: "INTEGER", nullable: false),
                    created_at = table.Column<DateTime>(type: "TEXT", nullable: false),
                    updated_at = table.Column<DateTime>(type: "TEXT", nullable: true),
                    metadata = table.Column<string>(type: "TEXT", nullable: false, collation: "BINARY")
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_snapshots", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "volumes",
                columns: table => new
                {
                    id = table.Column<string>(type: "TEXT", nullable: false, collation: "BINARY"),
                    project_id = table.Column<string>(type: "TEXT", nullable: false, collation: "BINARY"),
                    user_id = table.Column<string>(type: "TEXT", nullable: false, collation: "BINARY"),
                    provider = table.Column<string>(type: "TEXT", nullable: false, collation: "BINARY"),
                    name = table.Column<string>(type: "TEXT", nullable: true, collation: "BINARY"),
                    description = table.Column<string>(type: "TEXT", nullable: true, collation: "BINARY"),
                    status = table.Column<string>(type: "TEXT", nullable: false, collation: "BINARY"),
                    previous_status = table.Column<string>(type: "TEXT", nullable: true, collation: "BINARY"),
                    busy_job_id = table.Column<string>(type: "TEXT", nullable: true, collation: "BINARY"),
                    size = table.Column<long>(type: "INTEGER", nullable: false),
                    size_bytes = table.Column<long>(type: "INTEGER", nullable: false),
                    availability_zone = table.Column<string>(type: "TEXT", nullable: true, collation: "BINARY"),
                    created_at = table.Column<DateTime>(type: "TEXT", nullable: false),
                    updated_at = table.Column<DateTime>(type: "TEXT", nullable: true),
                    snapshot_id = table.Column<string>(type: "TEXT", nullable: true, collation: "BINARY"),
                    metadata = table.Column<string>(type: "TEXT", nullable: false, collation: "BINARY")
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_volumes", x => x.id);
                });

            migrationBuilder.CreateIndex(
                name: "IX_backups_created_at_id",
                table: "backups",
                columns: new[] { "created_at", "id" });

            migrationBuilder.CreateIndex(
                name: "IX_backups_deleted_at",
                table: "backups",
                column: "deleted_at",
                filter: "deleted_at IS NOT NULL");

            migrationBuilder.CreateIndex(
                name: "IX_backups_job_id",
                table: "backups",
                column: "job_id",
                filter: "job_id IS NOT NULL");

            migrationBuilder.CreateIndex(
                name: "IX_backups_name_created_at_id",
                table: "backups",
                columns: new[] { "name", "created_at", "id" });

            migrationBuilder.CreateIndex(
                name: "IX_backups_parent_id",
                table: "backups",
                column: "parent_id");

            migrationBuilder.CreateIndex(
                name: "IX_backups_project_id_created_at_id",
                table: "backups",
                columns: new[] { "project_id", "created_at", "id" });

            migrationBuilder.CreateIndex(
                name: "IX_backups_project_id_name_created_at_id",
                table: "backups",
                columns: new[] { "project_id", "name", "created_at", "id" });

            migrationBuilder.CreateIndex(
                name: "IX_backups_project_id_status_created_at_id",
                table: "backups",
                columns: new[] { "project_id", "status", "created_at", "id" });

            migrationBuilder.CreateIndex(
                name: "IX_backups_project_id_volume_id_created_at_id",
                table: "backups",
                columns: new[] { "project_id", "volume_id", "created_at", "id" });

            migrationBuilder.CreateIndex(
                name: "IX_backups_volume_id_data_timestamp",
                table: "backups",
                columns: new[] { "volume_id", "data_timestamp" });

            migrationBuilder.CreateIndex(
                name: "IX_snapshots_busy_job_id",
                table: "snapshots",
                column: "busy_job_id");

            migrationBuilder.CreateIndex(
                name: "IX_snapshots_volume_id",
                table: "snapshots",
                column: "volume_id");

            migrationBuilder.CreateIndex(
                name: "IX_volumes_busy_job_id",
                table: "volumes",
                column: "busy_job_id");

            migrationBuilder.CreateIndex(
                name: "IX_volumes_project_id_created_at_id",
                table: "volumes",
                columns: new[] { "project_id", "created_at", "id" });

            QuartzTables.Create(migrationBuilder, "sqlite");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "backups");

            migrationBuilder.DropTable(
                name: "quotas");

            migrationBuilder.DropTable(
                name: "snapshots");

            migrationBuilder.DropTable(
                name: "volumes");
        }
    }
}
